import { randomUUID } from "node:crypto";
import type { Registry } from "prom-client";
import { aborted } from "#lib/aborted.ts";
import { type Clock, sleep, systemClock } from "#lib/clock.ts";
import { keysReady } from "#lib/keys.ts";
import { createKubeClient, type KubeClient } from "#lib/kube/client.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createInformer } from "#lib/kube/informer.ts";
import { createLogger, type Logger } from "#lib/log.ts";
import { createRegistry } from "#lib/metrics.ts";
import { createOpsServer } from "#lib/ops-server.ts";
import { type ProcessContext, runProcess } from "#lib/process.ts";
import { VERSION } from "#lib/version.ts";
import { createApp } from "./app.ts";
import { type ApiConfig, readConfig } from "./config.ts";
import { type ContextParts, createContext, instanceInformerOptions } from "./context.ts";
import { createControlRoutes } from "./control/index.ts";
import { resealOnce } from "./secrets/reseal.ts";
import { createApiServer } from "./server.ts";
import { createSockets } from "./sockets.ts";
import { createStore, type Store } from "./store/store.ts";

/** Time until nobody sends new requests to a replica that said it is not ready. */
const PROPAGATION_MS = 5_000;

async function main({ signal, env }: ProcessContext): Promise<void> {
  await keysReady();
  const config = readConfig(env);
  const log = createLogger("api", config.logLevel);
  const registry = createRegistry("api", VERSION);
  const clock = systemClock;
  const access = loadKubeAccess(config.kubeconfig);
  const client = createKubeClient({ config: access, userAgent: `hatchery-api/${VERSION}`, registry, log, clock });
  const store = createStore({ config: config.database, clock, log, registry });
  await serveUntil(signal, { config, client, store, clock, log, registry });
}

interface Parts {
  config: ApiConfig;
  client: KubeClient;
  store: Store;
  clock: Clock;
  log: Logger;
  registry: Registry;
}

async function serveUntil(signal: AbortSignal, { config, client, store, clock, log, registry }: Parts): Promise<void> {
  const draining = new AbortController();
  const stopped = new AbortController();
  const informer = createInformer({ ...instanceInformerOptions(config.tenantNamespace), client, log, registry, clock });
  const parts: ContextParts = {
    config,
    client,
    store,
    informer,
    clock,
    log,
    registry,
    newId: randomUUID,
    draining: draining.signal,
  };
  const { context, freshness, oidc, close } = createContext(parts);
  const server = createApiServer(createApp(context), { port: config.port, clock, sockets: createSockets(context) });
  const control =
    config.controlKey === undefined
      ? undefined
      : createApiServer(createApp(context, createControlRoutes(context)), { port: config.controlPort, clock });
  const ops = createOpsServer({
    port: config.opsPort,
    registry,
    checks: { kubernetes: () => freshness.fault() },
    notes: { postgres: () => store.fault(), oidc: () => oidc.fault() },
    log,
  });

  const { port: opsPort } = await ops.listen();
  const watching = informer.run(stopped.signal);
  const watchingStore = Promise.all([store.watch(stopped.signal), resealOnce(context, stopped.signal)]);
  const refreshingKeys = oidc.run(stopped.signal);
  const { port } = await server.listen();
  const controlPort = (await control?.listen())?.port;
  log.info({ port, opsPort, controlPort, version: VERSION, namespace: config.tenantNamespace }, "serving");

  // Without its watch the API would answer from an ever older copy: better to start anew.
  const over = Promise.race([watching, aborted(signal)]);
  // A replica that never had Postgres knows nobody; one that had goes on for those it knows.
  await Promise.race([over, store.firstUsable.then(() => signal.aborted || ops.setReady(true))]);
  await over;
  log.info("draining");
  ops.setReady(false);
  await sleep(clock, PROPAGATION_MS);
  draining.abort();
  await Promise.all([server.drain(config.drainSeconds * 1000), control?.drain(config.drainSeconds * 1000)]);
  stopped.abort();
  await Promise.all([watching, watchingStore, refreshingKeys]);
  await close();
  await Promise.all([store.close(), ops.close()]);
  await client.close();
  log.info("stopped");
}

await runProcess({ name: "api", main });
