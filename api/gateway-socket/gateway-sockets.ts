import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type Tenant, tenantKey } from "#crds/index.ts";
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { DistinctHeaders } from "../auth/authenticator.ts";
import { faultOf } from "../error-mapper.ts";
import { ApiError, GatewayAnswerError } from "../errors.ts";
import type { HttpMetrics } from "../http/metrics.ts";
import { requestIdOf } from "../http/request-id.ts";
import type { ResolveUpstream } from "../instances/upstream.ts";
import type { OpenStreams } from "../limit/open-streams.ts";
import type { ProxyMetrics } from "../proxy/metrics.ts";
import { isMoved } from "../proxy/refusal.ts";
import { upstreamFailure } from "../proxy/upstream-error.ts";
import { runConnection } from "./connection.ts";
import { type DialOptions, dialGateway, type GatewaySocket } from "./dial.ts";
import { CLOSE_CODE } from "./frame-header.ts";
import { startOpening } from "./opening.ts";
import { refuseUpgrade } from "./refuse.ts";
import type { Relay } from "./relay.ts";
import { acceptOf, readUpgradeRequest, type UpgradeRequest } from "./upgrade-request.ts";

/** Where a tenant's gateway is reached by WebSocket. */
export const GATEWAY_SOCKET_PATH = "/api/openclaw/gateway";
/** Word in error texts. */
export const GATEWAY_SOCKET_OPERATION = "gateway";

/** How long a client that was refused may take to hang up. */
const HANG_UP_MS = 5_000;

/** What the passage to gateways is made of. */
export interface GatewaySocketParts {
  /** Who calls, if it may. @throws ApiError 401 or 403, or another when that cannot be told. */
  readonly authorize: (headers: DistinctHeaders) => Promise<Tenant>;
  readonly resolve: ResolveUpstream;
  readonly streams: OpenStreams;
  /** Origins of the pages that may connect, in lower case. */
  readonly allowedOrigins: ReadonlySet<string>;
  readonly metrics: ProxyMetrics;
  readonly http: HttpMetrics;
  readonly log: Logger;
  readonly clock: Clock;
  readonly newId: () => string;
  /** Ends all connections with 1012, so that clients come back to another replica. */
  readonly draining: AbortSignal;
}

/** What a listener hands WebSocket handshakes to. */
export interface GatewaySockets {
  /** True for a handshake that is ours; all else, other protocols to upgrade to included, is an ordinary request. */
  wants(req: IncomingMessage): boolean;
  /** Takes the socket over, whatever comes of it; never throws. */
  accept(req: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** The passage of WebSockets to the gateway of the tenant that calls. */
export function createGatewaySockets(parts: GatewaySocketParts): GatewaySockets {
  const relays = new Set<Relay>();
  parts.draining.addEventListener("abort", () => {
    for (const relay of relays) relay.close(CLOSE_CODE.serviceRestart, "this replica is shutting down");
  });
  return {
    wants: ({ method, url = "", headers }) =>
      method === "GET" &&
      url.split("?", 1)[0] === GATEWAY_SOCKET_PATH &&
      headers.upgrade?.toLowerCase() === "websocket",
    accept(req, socket, head) {
      // Whoever works for it hears of its end by `close`; without a listener an error would end the process.
      socket.on("error", () => undefined);
      void serve(parts, relays, req, socket, head);
    },
  };
}

/** A client that may speak to its gateway. */
interface Admitted {
  readonly request: UpgradeRequest;
  readonly tenant: Tenant;
  readonly token: string;
  readonly gateway: GatewaySocket;
  /** Gives its place among the tenant's open calls back. */
  readonly release: () => void;
}

async function serve(
  parts: GatewaySocketParts,
  relays: Set<Relay>,
  req: IncomingMessage,
  client: Duplex,
  clientHead: Buffer,
): Promise<void> {
  const { metrics, clock } = parts;
  const started = clock.monotonic();
  const requestId = requestIdOf(req.headers["x-request-id"], parts.newId);
  const log = parts.log.child({ requestId, route: GATEWAY_SOCKET_PATH });
  const admitted = await admit(parts, req, client, requestId).catch((error: unknown) => {
    const code = refuse(parts, client, error, { log, requestId });
    count(parts, code, started);
  });
  if (!admitted) return;
  const { request, tenant, token, gateway, release } = admitted;
  const seconds = count(parts, 101, started);
  metrics.duration.observe({ route: GATEWAY_SOCKET_PATH, phase: "ttfb" }, seconds);
  metrics.requests.inc({ route: GATEWAY_SOCKET_PATH, code: 101 });
  client.write(switchingProtocols(request, requestId));
  await runConnection({
    client,
    clientHead,
    gateway,
    open: startOpening(token, request.headers),
    tenant,
    authorize: () => parts.authorize(request.headers),
    metrics,
    clock,
    log,
    relays,
  });
  release();
}

async function admit(
  parts: GatewaySocketParts,
  req: IncomingMessage,
  client: Duplex,
  requestId: string,
): Promise<Admitted> {
  const left = new AbortController();
  const leave = () => left.abort(new ApiError("client_gone", "the client left"));
  client.once("close", leave);
  let release: (() => void) | undefined;
  try {
    const request = readUpgradeRequest(req, parts.allowedOrigins);
    refuseWhileDraining(parts.draining);
    const tenant = await parts.authorize(request.headers);
    release = parts.streams.acquire(tenantKey(tenant));
    const upstream = await parts.resolve(tenant);
    const { isFromBrowser } = request;
    const gateway = await dial(parts, { upstream, requestId, isFromBrowser, clock: parts.clock, signal: left.signal });
    if (left.signal.aborted || parts.draining.aborted) gateway.socket.destroy();
    left.signal.throwIfAborted();
    refuseWhileDraining(parts.draining);
    return { request, tenant, token: upstream.token, gateway, release };
  } catch (error) {
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

async function dial({ metrics }: GatewaySocketParts, options: DialOptions): Promise<GatewaySocket> {
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

/** Answers a handshake with an error; answers its status. */
function refuse(
  { clock }: GatewaySocketParts,
  client: Duplex,
  error: unknown,
  { log, requestId }: { log: Logger; requestId: string },
): number {
  const fault = faultOf(error);
  const reason = error instanceof ApiError ? error.logReason : undefined;
  const fields = { code: fault.code, status: fault.status, ...(reason ? { reason } : {}) };
  if (fault.unexpected) log.error({ ...fields, err: error }, "request failed unexpectedly");
  else if (fault.status >= 500) log.warn({ ...fields, err: error }, "request failed");
  else log.info({ ...fields, error: fault.message }, "request refused");
  const isAboutCaller =
    error instanceof ApiError && (error.code === "unauthorized" || error.code === "missing_user_id");
  refuseUpgrade(client, fault, { requestId, ...(isAboutCaller ? {} : { operation: GATEWAY_SOCKET_OPERATION }) });
  // What it may still be sending is read and dropped, so that it gets to read why.
  client.resume();
  client.once(
    "close",
    clock.setTimer(() => client.destroy(), HANG_UP_MS),
  );
  return fault.status;
}

function count({ http, clock }: GatewaySocketParts, code: number, started: number): number {
  const seconds = (clock.monotonic() - started) / 1000;
  http.requests.inc({ method: "GET", route: GATEWAY_SOCKET_PATH, code });
  http.duration.observe({ method: "GET", route: GATEWAY_SOCKET_PATH }, seconds);
  return seconds;
}

function switchingProtocols({ key, chosen }: UpgradeRequest, requestId: string): string {
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "upgrade: websocket",
    "connection: Upgrade",
    `sec-websocket-accept: ${acceptOf(key)}`,
    ...(chosen ? [`sec-websocket-protocol: ${chosen}`] : []),
    `x-request-id: ${requestId}`,
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}
