import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type Tenant, tenantKey } from "#crds/index.ts";
import { ApiError, GatewayAnswerError } from "../errors.ts";
import type { ProxyMetrics } from "../proxy/metrics.ts";
import { isMoved } from "../proxy/refusal.ts";
import { upstreamFailure } from "../proxy/upstream-error.ts";
import { type DialOptions, dialGateway, type GatewaySocket } from "./dial.ts";
import type { GatewaySocketParts } from "./gateway-sockets.ts";
import { readUpgradeRequest, type UpgradeRequest } from "./upgrade-request.ts";

/** A client that may speak to its gateway, and the gateway. */
export interface Admitted {
  readonly request: UpgradeRequest;
  readonly tenant: Tenant;
  /** The gateway's. */
  readonly token: string;
  readonly gateway: GatewaySocket;
  /** Gives its place among the tenant's open calls back. */
  readonly release: () => void;
}

/**
 * The one way of a handshake: its form and origin, who calls, the tenant's limit, where its gateway is; only then is that dialled.
 * @throws ApiError or GatewayAnswerError, or whatever the parts throw.
 */
export async function admit(
  parts: GatewaySocketParts,
  req: IncomingMessage,
  client: Duplex,
  requestId: string,
): Promise<Admitted> {
  const left = new AbortController();
  const leave = () => left.abort(new ApiError("client_gone", "the client left"));
  client.once("close", leave);
  let release: (() => void) | undefined;
  let gateway: GatewaySocket | undefined;
  try {
    const request = readUpgradeRequest(req, parts.allowedOrigins);
    refuseWhileDraining(parts.draining);
    const tenant = await parts.authorize(request.headers);
    release = parts.streams.acquire(tenantKey(tenant));
    const upstream = await parts.resolve(tenant);
    const { isFromBrowser } = request;
    const options = { upstream, requestId, isFromBrowser, clock: parts.clock, signal: left.signal };
    gateway = await dial(parts.metrics, options);
    left.signal.throwIfAborted();
    refuseWhileDraining(parts.draining);
    return { request, tenant, token: upstream.token, gateway, release };
  } catch (error) {
    gateway?.socket.destroy();
    release?.();
    throw left.signal.aborted ? left.signal.reason : error;
  } finally {
    client.off("close", leave);
  }
}

function refuseWhileDraining(draining: AbortSignal): void {
  if (!draining.aborted) return;
  throw new ApiError("shutting_down", "this replica is shutting down, connect again", { retryAfterSeconds: 1 });
}

async function dial(metrics: ProxyMetrics, options: DialOptions): Promise<GatewaySocket> {
  try {
    return await dialGateway(options);
  } catch (cause) {
    if (options.signal.aborted) throw cause;
    if (cause instanceof ApiError || cause instanceof GatewayAnswerError) {
      if (isMoved(cause)) metrics.upstreamErrors.inc({ reason: "moved" });
      throw cause;
    }
    const { reason, error } = upstreamFailure(cause);
    metrics.upstreamErrors.inc({ reason });
    throw error;
  }
}
