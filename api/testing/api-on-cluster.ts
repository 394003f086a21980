import { randomUUID } from "node:crypto";
import { Registry } from "prom-client";
import type { InstanceStatus, OpenClawInstance } from "#crds/index.ts";
import { INSTANCES } from "#crds/index.ts";
import { type Clock, systemClock } from "#lib/clock.ts";
import { keysReady, newSlot, parseKeyRing } from "#lib/keys.ts";
import { createKubeClient, type KubeClient } from "#lib/kube/client.ts";
import type { KubeAccess } from "#lib/kube/config.ts";
import { createInformer, type Informer } from "#lib/kube/informer.ts";
import { createLogger, type Logger } from "#lib/log.ts";
import { createApp } from "../app.ts";
import type { ApiConfig } from "../config.ts";
import { createContext, instanceInformerOptions } from "../context.ts";
import { createControlRoutes } from "../control/index.ts";
import type { DriftWatcher } from "../http/drift.ts";
import type { Route } from "../http/route.ts";
import { instanceName } from "../instances/name.ts";
import { createRoutes } from "../routes/index.ts";
import { createApiServer } from "../server.ts";
import { createSockets } from "../sockets.ts";
import { createStore, type Store } from "../store/store.ts";
import { CONTROL_KEY, INTERNAL_KEY } from "./api-under-test.ts";
import { createTestDatabase, type TestDatabase } from "./database.fixture.ts";
import { failOnDrift } from "./drift.ts";

/** The whole API on a real socket, a real apiserver and a real Postgres, as its process runs it. */
export interface ApiOnCluster extends AsyncDisposable {
  readonly url: string;
  /** The internal listener. */
  readonly controlUrl: string;
  /** Those of the public listener. */
  readonly routes: readonly Route[];
  readonly database: TestDatabase;
  readonly store: Store;
  readonly config: ApiConfig;
  readonly informer: Informer<OpenClawInstance>;
  /** Tells the API that its process is asked to stop. */
  drain(): void;
}

/** Id of the one admin of APIs under test. */
export const ADMIN = "root";

/**
 * Starts it over one namespace and a database of its own; answers once its cache is filled, unless told not to wait. Everybody with
 * a credential is let in, unless `config` says otherwise.
 */
export async function startApiOnCluster(o: {
  access: KubeAccess;
  namespace: string;
  postgresPort: number;
  config?: Partial<ApiConfig>;
  clock?: Clock;
  /** Silent by default. */
  log?: Logger;
  waitForSync?: boolean;
  /** By default the run of tests fails. */
  onDrift?: DriftWatcher;
}): Promise<ApiOnCluster> {
  await keysReady();
  const clock = o.clock ?? systemClock;
  const log = o.log ?? createLogger("api-test", "silent");
  const database = await createTestDatabase(o.postgresPort);
  const config: ApiConfig = {
    keyRing: parseKeyRing("a1".repeat(32)),
    internalKey: INTERNAL_KEY,
    controlKey: CONTROL_KEY,
    controlPort: 0,
    tenantNamespace: o.namespace,
    database: database.config,
    oidc: { issuers: [], leewaySeconds: 60, keyRefreshSeconds: 300, maxTokenAgeSeconds: 86_400, caFile: undefined },
    accessMode: "open",
    admins: { userIds: [ADMIN], emails: [], group: undefined },
    trustedProxies: [],
    allowedOrigins: [],
    ratePerMinute: 1e9,
    rateBurst: 1e9,
    port: 0,
    opsPort: 0,
    logLevel: "silent",
    kubeconfig: undefined,
    maxStreamsPerTenant: 32,
    maxBodyBytes: 2 ** 26,
    maxBodyBytesPerTenant: 2 ** 25,
    drainSeconds: 0,
    ...o.config,
  };
  const registry = new Registry();
  const client = createKubeClient({ config: o.access, userAgent: "hatchery-api-test", log });
  const informer = createInformer({ ...instanceInformerOptions(o.namespace), client, log, clock });
  const draining = new AbortController();
  const stopped = new AbortController();
  const store = createStore({ config: config.database, clock, log, registry });
  const parts = {
    config,
    client,
    store,
    informer,
    clock,
    log,
    registry,
    newId: randomUUID,
    draining: draining.signal,
    onDrift: o.onDrift ?? failOnDrift,
  };
  const { context, oidc, close } = createContext(parts);
  const routes = createRoutes(context);
  const server = createApiServer(createApp(context, routes), {
    port: 0,
    host: "127.0.0.1",
    clock,
    sockets: createSockets(context),
  });
  const watching = Promise.all([informer.run(stopped.signal), store.watch(stopped.signal), oidc.run(stopped.signal)]);
  if (o.waitForSync ?? true) await informer.synced();
  const control = createApiServer(createApp(context, createControlRoutes(context)), {
    port: 0,
    host: "127.0.0.1",
    clock,
  });
  const [{ port }, { port: controlPort }] = await Promise.all([server.listen(), control.listen()]);
  return {
    url: `http://127.0.0.1:${port}`,
    controlUrl: `http://127.0.0.1:${controlPort}`,
    config,
    routes,
    database,
    store,
    informer,
    drain: () => draining.abort(),
    async [Symbol.asyncDispose]() {
      stopped.abort();
      await watching;
      await Promise.all([server.close(), control.close()]);
      await close();
      await Promise.all([client.close(), store.close(), database[Symbol.asyncDispose]()]);
    },
  };
}

/** Plays the operator for one user's instance: writes its status as the operator would. */
export async function writeStatus(
  client: KubeClient,
  namespace: string,
  user: string,
  status: Partial<InstanceStatus>,
): Promise<OpenClawInstance> {
  const name = instanceName(`human:${user}`);
  const live = await client.get(INSTANCES, { namespace, name });
  if (!live) throw new Error(`${user} has no instance`);
  const observed = { observedGeneration: live.metadata.generation, ...status };
  return client.mergePatch(INSTANCES, { namespace, name }, { status: observed }, { subresource: "status" });
}

/** A runtime whose gateway is at this address. */
export function runtimeAt(config: Pick<ApiConfig, "keyRing">, origin: string): NonNullable<InstanceStatus["runtime"]> {
  const { hostname, port } = new URL(origin);
  const [key] = config.keyRing;
  return {
    name: "openclaw-x",
    slot: newSlot(),
    keyId: key.id,
    podIP: hostname,
    port: Number(port),
    version: "2026.9.6",
  };
}
