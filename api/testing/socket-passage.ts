import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { Registry } from "prom-client";
import { type Tenant, tenantKey } from "#crds/index.ts";
import { type Clock, systemClock } from "#lib/clock.ts";
import { keysReady } from "#lib/keys.ts";
import { createLogger } from "#lib/log.ts";
import { type Authenticator, authenticate, type DistinctHeaders, unauthorized } from "../auth/authenticator.ts";
import { internalKeyAuthenticator } from "../auth/internal-key.ts";
import { ALL_SCOPES } from "../auth/scopes.ts";
import { ApiError } from "../errors.ts";
import { OPCODE } from "../gateway-socket/frame-header.ts";
import { encodeFrame } from "../gateway-socket/frames.ts";
import { createGatewaySockets, GATEWAY_SOCKET_PATH } from "../gateway-socket/gateway-sockets.ts";
import { createHttpMetrics } from "../http/metrics.ts";
import type { Upstream } from "../instances/upstream.ts";
import { createOpenStreams } from "../limit/open-streams.ts";
import { createProxyMetrics } from "../proxy/metrics.ts";
import { as, INTERNAL_KEY, PAGE } from "./api-under-test.ts";
import { Peer } from "./peer.ts";

/** A handshake's key, from RFC 6455, and what answers it. */
export const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
export const ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const MASK = Buffer.of(1, 2, 3, 4);

/** The passage to gateways alone, on a real socket. */
export interface SocketPassage extends AsyncDisposable {
  readonly port: number;
  readonly registry: Registry;
  /** Gateways by tenant key. */
  readonly gateways: Map<string, Upstream>;
  /** Users whom nobody lets in any more, and whether it can be told at all. */
  readonly access: { refused: Set<string>; isDown: boolean };
  readonly draining: AbortController;
}

/** Starts it. */
export async function startSocketPassage(o: { clock?: Clock; maxStreams?: number } = {}): Promise<SocketPassage> {
  await keysReady();
  const registry = new Registry();
  const gateways = new Map<string, Upstream>();
  const access = { refused: new Set<string>(), isDown: false };
  const draining = new AbortController();
  const schemes = [internalKeyAuthenticator(INTERNAL_KEY), bearer];
  let ids = 0;
  const sockets = createGatewaySockets({
    async authorize(headers: DistinctHeaders): Promise<Tenant> {
      if (access.isDown) throw new ApiError("cluster_unavailable", "the store cannot be reached");
      const { tenant } = await authenticate(schemes, headers);
      if (access.refused.has(tenant.subject)) throw new ApiError("instance_forbidden", "access denied");
      return tenant;
    },
    async resolve(tenant) {
      const gateway = gateways.get(tenantKey(tenant));
      if (!gateway) throw new ApiError("instance_not_found", "instance not found", { step: "get_instance" });
      return gateway;
    },
    streams: createOpenStreams(o.maxStreams ?? 32),
    allowedOrigins: new Set([PAGE]),
    metrics: createProxyMetrics(registry),
    http: createHttpMetrics(registry),
    log: createLogger("api-test", "silent"),
    clock: o.clock ?? systemClock,
    newId: () => `request-${++ids}`,
    draining: draining.signal,
  });
  const open = new Set<Socket>();
  const server = createServer({ shouldUpgradeCallback: (req) => sockets.wants(req) }, (_req, res) => {
    res.writeHead(418).end();
  });
  server.on("connection", (socket) => open.add(socket));
  server.on("upgrade", (req, socket, head) => sockets.accept(req, socket, head));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    registry,
    gateways,
    access,
    draining,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A second scheme, as API tokens are one: the token `token-of-<user>` is the user's. */
const bearer: Authenticator = {
  scheme: "api-token",
  async authenticate({ authorization }) {
    if (!authorization) return undefined;
    const subject = /^Bearer token-of-(\w+)$/.exec(authorization.join())?.[1];
    if (!subject) throw unauthorized("wrong token");
    return { scheme: "api-token", tenant: { kind: "Human", subject }, scopes: ALL_SCOPES };
  },
};

/** Opens a raw connection and sends a handshake; user alice unless said otherwise. An undefined header is left out. */
export function handshake(
  port: number,
  o: { user?: string | null; path?: string; headers?: Record<string, string | undefined>; after?: Buffer } = {},
): Peer {
  const { user = "alice", path = GATEWAY_SOCKET_PATH } = o;
  const headers: Record<string, string | undefined> = {
    host: "api.example.com",
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": KEY,
    ...(user === null ? {} : as(user)),
    ...o.headers,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  socket.write(
    Buffer.concat([Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`), o.after ?? Buffer.of()]),
  );
  return new Peer(socket);
}

/** Reads an answer that is no WebSocket. */
export async function refusalOf(peer: Peer): Promise<{ status: number; head: string; json: unknown }> {
  const head = await peer.head();
  const body = (await peer.rest()).toString("utf8");
  return { status: Number(head.split(" ")[1]), head, json: body === "" ? undefined : JSON.parse(body) };
}

/** A client's text frame. */
export function clientText(text: string | object): Buffer {
  return encodeFrame(OPCODE.text, Buffer.from(typeof text === "string" ? text : JSON.stringify(text)), MASK);
}

/** A client's connect request with this `auth`. */
export function connectFrame(auth?: object, params: object = {}): Buffer {
  return clientText({ type: "req", id: "1", method: "connect", params: { ...params, ...(auth ? { auth } : {}) } });
}
