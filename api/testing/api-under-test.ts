import { Registry } from "prom-client";
import { tenantKey } from "#crds/index.ts";
import { systemClock } from "#lib/clock.ts";
import { keysReady, parseKeyRing } from "#lib/keys.ts";
import { createLogger } from "#lib/log.ts";
import type { AccessStatus } from "../access/gate.ts";
import { createApp } from "../app.ts";
import { internalKeyAuthenticator } from "../auth/internal-key.ts";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import { createHttpMetrics } from "../http/metrics.ts";
import type { Route } from "../http/route.ts";
import type { Upstream } from "../instances/upstream.ts";
import { createByteBudget } from "../limit/byte-budget.ts";
import { createOpenStreams } from "../limit/open-streams.ts";
import { createRateLimit } from "../limit/rate.ts";
import { createProxyMetrics } from "../proxy/metrics.ts";
import { GatewayAgent } from "../proxy/pool.ts";
import { createRoutes } from "../routes/index.ts";
import { type ApiServer, createApiServer } from "../server.ts";
import { createSockets } from "../sockets.ts";
import { failOnDrift } from "./drift.ts";

/** The internal key of every API under test. */
export const INTERNAL_KEY = "internal-key-of-tests-0123456789abcdef";
/** The control key of every API under test. */
export const CONTROL_KEY = "control-key-of-tests-0123456789abcdef0";
/** The token the API presents to gateways in tests. */
export const GATEWAY_TOKEN = "gateway-token-of-tests";

/** The verdict on everybody. */
export const LET_IN: AccessStatus = {
  allowed: true,
  isAdmin: false,
  userAccess: true,
  email: null,
  waitlistEntry: null,
};

/** The page that may call in tests. */
export const PAGE = "https://console.example.com";

/** Headers of a first-party server acting for a user. */
export function as(user: string): Record<string, string> {
  return { "x-oa-internal-key": INTERNAL_KEY, "x-oa-user-id": user };
}

/** The whole API on a real socket, with gateways given by tenant key in place of a cluster. */
export interface ApiUnderTest extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly registry: Registry;
  readonly server: ApiServer;
  /** Gateways by tenant key (`human:<id>`); a tenant without one has no instance. */
  readonly gateways: Map<string, Upstream>;
  readonly draining: AbortController;
  readonly routes: readonly Route[];
}

/** What a test may have of its own. */
interface ApiUnderTestOptions
  extends Partial<
    Pick<ApiContext, "clock" | "access" | "authenticators" | "trustedProxies" | "allowedOrigins" | "onDrift">
  > {
  maxStreams?: number;
  bodies?: { total: number; perOwner: number };
  /** Calls of one address without a credential, at once. */
  addressBurst?: number;
  /** In place of all routes. */
  routes?: readonly Route[];
}

/** Starts it, with everybody let in unless told otherwise. Routes that need a cluster or Postgres fail here. */
export async function startApi(o: ApiUnderTestOptions = {}): Promise<ApiUnderTest> {
  await keysReady();
  const clock = o.clock ?? systemClock;
  const registry = new Registry();
  const gateways = new Map<string, Upstream>();
  const draining = new AbortController();
  const maxStreams = o.maxStreams ?? 32;
  const agent = new GatewayAgent();
  const noCluster = () => {
    throw new Error("there is neither cluster nor Postgres in this test");
  };
  const bodies = createByteBudget(o.bodies ?? { total: 2 ** 26, perOwner: 2 ** 25 });
  let ids = 0;
  const context: ApiContext = {
    log: createLogger("api-test", "silent"),
    clock,
    newId: () => `request-${++ids}`,
    authenticators: o.authenticators ?? [internalKeyAuthenticator(INTERNAL_KEY)],
    credentials: { verify: noCluster, identify: noCluster },
    lastUse: { note: noCluster, close: noCluster },
    controlKey: CONTROL_KEY,
    keyRing: parseKeyRing("a1".repeat(32)),
    access: o.access ?? { check: async () => LET_IN, explain: noCluster },
    addressRate: createRateLimit({ perMinute: 1, burst: o.addressBurst ?? 1e9, clock }),
    trustedProxies: o.trustedProxies ?? [],
    rate: createRateLimit({ perMinute: 1e9, burst: 1e9, clock }),
    store: {
      get db() {
        return noCluster();
      },
    },
    directory: { find: noCluster, list: noCluster, subscribe: noCluster },
    instances: {
      get: noCluster,
      list: noCluster,
      ensure: noCluster,
      stop: noCluster,
      start: noCluster,
      restart: noCluster,
      delete: noCluster,
    },
    proxy: {
      agent,
      streams: createOpenStreams(maxStreams),
      bytes: bodies,
      metrics: createProxyMetrics(registry),
      clock,
      async resolve(tenant) {
        const gateway = gateways.get(tenantKey(tenant));
        if (!gateway) throw new ApiError("instance_not_found", "instance not found", { step: "get_instance" });
        return gateway;
      },
    },
    bodies,
    metrics: createHttpMetrics(registry),
    allowedOrigins: o.allowedOrigins ?? new Set([PAGE]),
    onDrift: o.onDrift ?? failOnDrift,
    draining: draining.signal,
  };
  const routes = o.routes ?? createRoutes(context);
  const server = createApiServer(createApp(context, routes), {
    port: 0,
    host: "127.0.0.1",
    clock,
    sockets: createSockets(context),
  });
  const { port } = await server.listen();
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    registry,
    server,
    gateways,
    draining,
    routes,
    async [Symbol.asyncDispose]() {
      await agent.destroy();
      await server.close();
    },
  };
}
