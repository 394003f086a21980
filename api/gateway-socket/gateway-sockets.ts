import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Tenant } from "#crds/index.ts";
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { DistinctHeaders } from "../auth/authenticator.ts";
import { faultOf } from "../error-mapper.ts";
import { isAboutCaller, logFailure } from "../http/failure.ts";
import type { HttpMetrics } from "../http/metrics.ts";
import { requestIdOf } from "../http/request-id.ts";
import type { ResolveUpstream } from "../instances/upstream.ts";
import type { OpenStreams } from "../limit/open-streams.ts";
import type { ProxyMetrics } from "../proxy/metrics.ts";
import { admit } from "./admission.ts";
import { runConnection } from "./connection.ts";
import { CLOSE_CODE } from "./frame-header.ts";
import { startOpening } from "./opening.ts";
import { refuseUpgrade } from "./refuse.ts";
import type { Relay } from "./relay.ts";
import { acceptOf, type UpgradeRequest } from "./upgrade-request.ts";

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
      serve(parts, relays, req, socket, head).catch((error: unknown) => {
        parts.log.error({ err: error }, "gateway socket failed unexpectedly");
        socket.destroy();
      });
    },
  };
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
    note(parts, log, refuse(parts, client, error, log, requestId), started);
  });
  if (!admitted) return;
  const { request, tenant, token, gateway, release } = admitted;
  const seconds = note(parts, log, 101, started);
  metrics.duration.observe({ route: GATEWAY_SOCKET_PATH, phase: "ttfb" }, seconds);
  metrics.requests.inc({ route: GATEWAY_SOCKET_PATH, code: 101 });
  try {
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
  } finally {
    release();
  }
}

/** Answers a handshake with an error; answers its status. */
function refuse({ clock }: GatewaySocketParts, client: Duplex, error: unknown, log: Logger, requestId: string): number {
  const fault = faultOf(error);
  if (fault.code !== "client_gone") logFailure(log, error);
  refuseUpgrade(client, fault, {
    requestId,
    operation: isAboutCaller(error) ? undefined : GATEWAY_SOCKET_OPERATION,
  });
  // What it may still be sending is read and dropped, so that it gets to read why.
  client.resume();
  client.once(
    "close",
    clock.setTimer(() => client.destroy(), HANG_UP_MS),
  );
  return fault.status;
}

/** Notes the answer to a handshake, as of any other request; answers how long it took in seconds. */
function note({ http, clock }: GatewaySocketParts, log: Logger, status: number, started: number): number {
  const ms = clock.monotonic() - started;
  http.requests.inc({ method: "GET", route: GATEWAY_SOCKET_PATH, code: status });
  http.duration.observe({ method: "GET", route: GATEWAY_SOCKET_PATH }, ms / 1000);
  log.info({ method: "GET", status, ms, complete: true }, "answered");
  return ms / 1000;
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
