import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Fault } from "../error-mapper.ts";
import { faultBody } from "../http/envelope.ts";

/** Answers a handshake with an error of ours, as any other call, and hangs up. */
export function refuseUpgrade(
  socket: Duplex,
  fault: Fault,
  where: { requestId: string; operation?: string | undefined },
): void {
  const body = JSON.stringify(faultBody(fault, where));
  const head = [
    `HTTP/1.1 ${fault.status} ${STATUS_CODES[fault.status] ?? ""}`,
    "connection: close",
    "content-type: application/json; charset=utf-8",
    `content-length: ${Buffer.byteLength(body)}`,
    "cache-control: no-store",
    "x-content-type-options: nosniff",
    `x-request-id: ${where.requestId}`,
    ...(fault.retryAfterSeconds === undefined ? [] : [`retry-after: ${Math.ceil(fault.retryAfterSeconds)}`]),
    ...(fault.status === 426 ? ["upgrade: websocket", "sec-websocket-version: 13"] : []),
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`);
}
