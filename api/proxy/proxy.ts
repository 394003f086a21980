import type { Dispatcher } from "undici";
import { tenantKey } from "#crds/index.ts";
import type { Clock } from "#lib/clock.ts";
import { faultOf } from "../error-mapper.ts";
import type { Call } from "../http/call.ts";
import type { ResolveUpstream, Upstream } from "../instances/upstream.ts";
import type { ByteBudget } from "../limit/byte-budget.ts";
import type { OpenStreams } from "../limit/open-streams.ts";
import type { ProxyMetrics } from "./metrics.ts";
import type { OutgoingBody } from "./outgoing-body.ts";

/** What calls to gateways are made with. */
export interface GatewayProxy {
  readonly agent: Dispatcher;
  readonly resolve: ResolveUpstream;
  readonly streams: OpenStreams;
  /** Where answers that are read whole are counted, together with the bodies of requests. */
  readonly bytes: ByteBudget;
  readonly metrics: ProxyMetrics;
  readonly clock: Clock;
}

/** One request to a gateway. */
export interface UpstreamRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** The caller's headers that may pass, already checked. */
  readonly forwarded?: Readonly<Record<string, string>>;
  readonly body?: OutgoingBody;
  /** Longest wait for the first byte of the answer, milliseconds. */
  readonly headersTimeoutMs: number;
  /** Longest silence within the answer, milliseconds. */
  readonly bodyTimeoutMs: number;
}

/** An agent may work up to 600 s on one turn before its first word; the proxy gives up after it does. */
export const TURN_TIMEOUT_MS = 660_000;
/** Calls that no model is asked for. */
export const READ_TIMEOUT_MS = 60_000;

/**
 * Finds the tenant's gateway and runs `work` with it, inside the tenant's limit and counted. The limit and the look-up come before
 * any of the request's body is read.
 */
export async function withUpstream<T>(
  proxy: GatewayProxy,
  call: Call,
  work: (upstream: Upstream) => Promise<T>,
): Promise<T> {
  const route = String(call.res.locals.route);
  const started = proxy.clock.monotonic();
  const release = proxy.streams.acquire(tenantKey(call.tenant));
  let code = 0;
  try {
    const result = await work(await proxy.resolve(call.tenant));
    code = call.res.headersSent ? call.res.statusCode : 200;
    return result;
  } catch (error) {
    code = call.isAbandoned ? 499 : faultOf(error).status;
    throw error;
  } finally {
    release();
    proxy.metrics.requests.inc({ route, code });
    proxy.metrics.duration.observe({ route, phase: "total" }, (proxy.clock.monotonic() - started) / 1000);
  }
}
