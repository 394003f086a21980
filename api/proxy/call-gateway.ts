import { Readable } from "node:stream";
import { tenantKey } from "#crds/index.ts";
import { ApiError } from "../errors.ts";
import type { Call } from "../http/call.ts";
import type { Upstream } from "../instances/upstream.ts";
import type { ByteShare } from "../limit/byte-budget.ts";
import { upstreamHeaders } from "./headers.ts";
import type { OutgoingBody } from "./outgoing-body.ts";
import type { GatewayProxy } from "./proxy.ts";
import { isMoved, refusalError } from "./refusal.ts";
import { upstreamFailure } from "./upstream-error.ts";

/** Longest answer that is read whole: parsed and written again it costs memory several times. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** A call whose answer is needed whole. */
export interface GatewayRequest {
  readonly path: string;
  readonly body: OutgoingBody;
  readonly forwarded?: Readonly<Record<string, string>>;
  /** Whole time of the call, milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Posts JSON to the tenant's gateway and answers its JSON. Aborts when the client leaves. The answer's bytes count as the tenant's
 * until ours is over.
 * @throws ApiError or GatewayAnswerError for everything but a success.
 */
export async function callGateway(
  proxy: GatewayProxy,
  call: Call,
  upstream: Upstream,
  request: GatewayRequest,
): Promise<unknown> {
  const late = new AbortController();
  const cancel = proxy.clock.setTimer(() => late.abort(), request.timeoutMs);
  try {
    return await exchange(proxy, call, upstream, request, AbortSignal.any([call.signal, late.signal]));
  } catch (cause) {
    if (call.signal.aborted) throw new ApiError("client_gone", "the client left");
    if (!late.signal.aborted) throw cause;
    proxy.metrics.upstreamErrors.inc({ reason: "timeout" });
    throw new ApiError("gateway_timeout", "the instance did not answer in time", { step: "gateway", cause });
  } finally {
    request.body.drop();
    cancel();
  }
}

async function exchange(
  proxy: GatewayProxy,
  call: Call,
  upstream: Upstream,
  request: GatewayRequest,
  signal: AbortSignal,
): Promise<unknown> {
  proxy.metrics.bytes.inc({ dir: "up" }, request.body.byteLength);
  const { statusCode, headers, text } = await send(proxy, call, upstream, request, signal);
  if (statusCode < 200 || statusCode > 299) {
    const error = refusalError({ status: statusCode, headers, body: text });
    if (isMoved(error)) proxy.metrics.upstreamErrors.inc({ reason: "moved" });
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message repeats a piece of the answer, which is nobody's business in a log.
    proxy.metrics.upstreamErrors.inc({ reason: "malformed" });
    throw new ApiError("gateway_error", "the instance's answer is not JSON", { step: "gateway" });
  }
}

async function send(proxy: GatewayProxy, call: Call, upstream: Upstream, request: GatewayRequest, signal: AbortSignal) {
  try {
    const {
      statusCode,
      headers,
      body: answer,
    } = await proxy.agent.request({
      origin: upstream.origin,
      path: request.path,
      method: "POST",
      headers: upstreamHeaders({
        token: upstream.token,
        requestId: call.requestId,
        accept: "application/json",
        forwarded: request.forwarded ?? {},
        bodyBytes: request.body.byteLength,
      }),
      body: Readable.from(request.body.chunks(), { objectMode: false, highWaterMark: 1 }),
      signal,
      // The whole call has one limit, above.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const share = proxy.bytes.open(tenantKey(call.tenant));
    call.res.once("close", share.release);
    const announced = Number(headers["content-length"] ?? 0);
    return { statusCode, headers, text: await readText(answer, announced, share) };
  } catch (cause) {
    if (signal.aborted || cause instanceof ApiError) throw cause;
    const { reason, error } = upstreamFailure(cause);
    proxy.metrics.upstreamErrors.inc({ reason });
    throw error;
  }
}

/** Leaving the loop ends the exchange, so what is refused is not read to its end. */
async function readText(answer: AsyncIterable<Buffer>, announced: number, share: ByteShare): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    size += chunk.length;
    take(share, Math.max(size, announced));
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function take(share: ByteShare, bytes: number): void {
  if (bytes > MAX_ANSWER_BYTES) {
    const message = `the instance's answer is over the limit of ${MAX_ANSWER_BYTES} bytes`;
    throw new ApiError("gateway_error", message, { step: "gateway" });
  }
  try {
    share.cover(bytes);
  } catch (cause) {
    // Without a time to try again: what was asked for may have been done.
    if (!(cause instanceof ApiError)) throw cause;
    throw new ApiError(cause.code, `${cause.message}: the call was made, its answer is lost`, {
      step: "gateway",
      cause,
    });
  }
}
