import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Clock, sleep } from "#lib/clock.ts";

/** Above what load balancers and OpenClaw keep connections for, so that it is never us who closes one in use. */
const KEEP_ALIVE_MS = 75_000;

/** A listening HTTP server that can be stopped without cutting what it is answering. */
export interface Listener {
  readonly port: number;
  /** Takes nothing new, and resolves when all open calls have ended; after `graceMs` it cuts what is left. */
  drain(graceMs: number): Promise<void>;
}

/**
 * Starts to listen.
 * @throws Error when the port can't be had.
 */
export async function listen(handler: RequestListener, port: number, clock: Clock): Promise<Listener> {
  const server = createServer(handler);
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  // A stopping server would wait for kept connections until they time out.
  server.on("request", (_req, res) => {
    res.once("close", () => {
      if (!server.listening) setImmediate(() => server.closeIdleConnections());
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    drain: (graceMs) => drain(server, graceMs, clock),
  };
}

async function drain(server: Server, graceMs: number, clock: Clock): Promise<void> {
  const ended = new AbortController();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  void closed.then(() => ended.abort());
  await sleep(clock, graceMs, ended.signal);
  server.closeAllConnections();
  await closed;
}
