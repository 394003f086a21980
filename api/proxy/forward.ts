import { Readable, Writable } from "node:stream";
import { ApiError } from "../errors.ts";
import type { Call } from "../http/call.ts";
import type { Upstream } from "../instances/upstream.ts";
import { DO_NOT_RETRY, isEventStream, mayHaveRun, responseHeaders, upstreamHeaders } from "./headers.ts";
import type { GatewayProxy, UpstreamRequest } from "./proxy.ts";
import { isMoved, type Refusal, refusalError } from "./refusal.ts";
import { relayTo } from "./relay.ts";
import { upstreamFailure } from "./upstream-error.ts";

/** Of an error answer that we read instead of relaying it, this much is kept. */
const REFUSAL_BYTES = 64 * 1024;

/** How an answer of the gateway becomes ours. */
export interface ForwardOptions {
  /** `relay` passes error answers on as they are (the caller speaks OpenAI's dialect), `read` puts them into our envelope. */
  readonly refusals: "relay" | "read";
  /** Added to the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Streams one call to the tenant's gateway and its answer back, byte for byte. /!\ Hot path.
 *
 * Aborts the gateway's work when the client leaves; never repeats a call, since it may have run.
 * @throws ApiError or GatewayAnswerError before the first byte; after it, an error that only says to cut the answer off.
 */
export async function forward(
  proxy: GatewayProxy,
  call: Call,
  upstream: Upstream,
  request: UpstreamRequest,
  options: ForwardOptions,
): Promise<void> {
  const { res, signal } = call;
  const { metrics, clock } = proxy;
  const started = clock.monotonic();
  let refusal: Refusal | undefined;
  let openKind: "sse" | "http" | undefined;
  if (request.body) metrics.bytes.inc({ dir: "up" }, request.body.byteLength);
  try {
    await proxy.agent.stream(dispatchOptions(call, upstream, request), ({ statusCode, headers }) => {
      metrics.duration.observe(
        { route: String(res.locals.route), phase: "ttfb" },
        (clock.monotonic() - started) / 1000,
      );
      if (statusCode === 401 || statusCode < 200 || statusCode > 599 || isRead(statusCode, options)) {
        refusal = { status: statusCode, headers, body: "" };
        return collectInto(refusal);
      }
      openKind = isEventStream(headers) ? "sse" : "http";
      metrics.openStreams.inc({ kind: openKind });
      const isRisky = request.method === "POST" && mayHaveRun(statusCode);
      res.writeHead(statusCode, { ...options.headers, ...responseHeaders(headers), ...(isRisky && DO_NOT_RETRY) });
      // The client learns that it was heard long before a model says its first word.
      res.flushHeaders();
      return relayTo(res, {
        clock,
        isEventStream: openKind === "sse",
        onBytes: (count) => metrics.bytes.inc({ dir: "down" }, count),
      });
    });
  } catch (cause) {
    throw failure(proxy, call, cause);
  } finally {
    request.body?.drop();
    if (openKind) metrics.openStreams.dec({ kind: openKind });
  }
  if (signal.aborted) throw new ApiError("client_gone", "the client left");
  if (refusal) throw refused(proxy, refusal);
}

function dispatchOptions({ req, requestId, signal }: Call, upstream: Upstream, request: UpstreamRequest) {
  return {
    origin: upstream.origin,
    path: request.path,
    method: request.method,
    headers: upstreamHeaders({
      token: upstream.token,
      requestId,
      accept: req.headers.accept ?? "*/*",
      forwarded: request.forwarded ?? {},
      bodyBytes: request.body?.byteLength,
    }),
    body: request.body ? Readable.from(request.body.chunks(), { objectMode: false, highWaterMark: 1 }) : null,
    signal,
    headersTimeout: request.headersTimeoutMs,
    bodyTimeout: request.bodyTimeoutMs,
  };
}

/** Gateways don't redirect; whatever says so is not one. */
function isRead(statusCode: number, options: ForwardOptions): boolean {
  return (statusCode >= 300 && statusCode < 400) || (statusCode >= 400 && options.refusals === "read");
}

function collectInto(refusal: Refusal): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (refusal.body.length < REFUSAL_BYTES) refusal.body += chunk.toString("utf8");
      done();
    },
  });
}

function refused(proxy: GatewayProxy, refusal: Refusal): Error {
  const error = refusalError(refusal);
  if (isMoved(error)) proxy.metrics.upstreamErrors.inc({ reason: "moved" });
  return error;
}

function failure(proxy: GatewayProxy, { res, signal }: Call, cause: unknown): ApiError {
  // Nobody but the client has ended the response by now; its signal may not have heard of it yet.
  if (signal.aborted || res.destroyed) return new ApiError("client_gone", "the client left");
  if (res.headersSent) {
    proxy.metrics.upstreamErrors.inc({ reason: "truncated" });
    return new ApiError("gateway_error", "the instance broke off its answer", { logReason: "truncated", cause });
  }
  const { reason, error } = upstreamFailure(cause);
  proxy.metrics.upstreamErrors.inc({ reason });
  return error;
}
