import { Readable } from "node:stream";
import type { Dispatcher } from "undici";
import { ApiError } from "../errors.ts";
import type { Call } from "../http/call.ts";
import type { Upstream } from "../instances/upstream.ts";
import { DO_NOT_RETRY, isEventStream, mayHaveRun, responseHeaders, upstreamHeaders } from "./headers.ts";
import type { OutgoingBody } from "./outgoing-body.ts";
import type { GatewayProxy, UpstreamRequest } from "./proxy.ts";
import { isMoved, type Refusal, refusalError } from "./refusal.ts";
import { Relay } from "./relay.ts";
import { upstreamFailure } from "./upstream-error.ts";

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
  const { res } = call;
  const { metrics, clock } = proxy;
  const started = clock.monotonic();
  let refusal: Omit<Refusal, "body"> | undefined;
  let openKind: "sse" | "http" | undefined;
  if (request.body) metrics.bytes.inc({ dir: "up" }, request.body.byteLength);
  const relay = new Relay(res, {
    clock,
    onSent: () => request.body?.drop(),
    onHead(status, headers) {
      metrics.duration.observe(
        { route: String(res.locals.route), phase: "ttfb" },
        (clock.monotonic() - started) / 1000,
      );
      if (isOdd(status) || (status >= 400 && options.refusals === "read")) {
        refusal = { status, headers };
        return "read";
      }
      openKind = isEventStream(headers) ? "sse" : "http";
      metrics.openStreams.inc({ kind: openKind });
      const isRisky = request.method === "POST" && mayHaveRun(status);
      res.writeHead(status, { ...options.headers, ...responseHeaders(headers), ...(isRisky && DO_NOT_RETRY) });
      return openKind === "sse" ? "relay-events" : "relay";
    },
    onBytes: (count) => metrics.bytes.inc({ dir: "down" }, count),
  });
  try {
    proxy.agent.dispatch(dispatchOptions(call, upstream, request), relay);
    await relay.done;
  } catch (cause) {
    throw failure(proxy, call, cause);
  } finally {
    request.body?.drop();
    if (openKind) metrics.openStreams.dec({ kind: openKind });
  }
  if (call.isAbandoned) throw new ApiError("client_gone", "the client left");
  if (refusal) throw refused(proxy, { ...refusal, body: relay.text });
}

/** Gateways don't redirect; whatever says so is not one. A 401 is about our credential, not the caller's. */
function isOdd(status: number): boolean {
  return status === 401 || (status >= 300 && status < 400) || status > 599;
}

function dispatchOptions(
  { req, requestId }: Call,
  upstream: Upstream,
  request: UpstreamRequest,
): Dispatcher.DispatchOptions {
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
    body: request.body ? (request.body.whole() ?? inPieces(request.body)) : null,
    headersTimeout: request.headersTimeoutMs,
    bodyTimeout: request.bodyTimeoutMs,
  };
}

function inPieces(body: OutgoingBody): Readable {
  return Readable.from(body.chunks(), { objectMode: false, highWaterMark: 1 });
}

function refused(proxy: GatewayProxy, refusal: Refusal): Error {
  const error = refusalError(refusal);
  if (isMoved(error)) proxy.metrics.upstreamErrors.inc({ reason: "moved" });
  return error;
}

function failure(proxy: GatewayProxy, { res }: Call, cause: unknown): ApiError {
  // Nobody but the client has ended the response by now.
  if (res.destroyed) return new ApiError("client_gone", "the client left");
  if (res.headersSent) {
    proxy.metrics.upstreamErrors.inc({ reason: "truncated" });
    return new ApiError("gateway_error", "the instance broke off its answer", { logReason: "truncated", cause });
  }
  const { reason, error } = upstreamFailure(cause);
  proxy.metrics.upstreamErrors.inc({ reason });
  return error;
}
