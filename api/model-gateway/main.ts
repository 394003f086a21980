import { randomUUID } from "node:crypto";
import { Agent } from "undici";
import { CLASSES } from "#crds/index.ts";
import { aborted } from "#lib/aborted.ts";
import { sleep, systemClock } from "#lib/clock.ts";
import { keysReady } from "#lib/keys.ts";
import { createKubeClient } from "#lib/kube/client.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createInformer } from "#lib/kube/informer.ts";
import { createLogger } from "#lib/log.ts";
import { createRegistry } from "#lib/metrics.ts";
import { createOpsServer } from "#lib/ops-server.ts";
import { type ProcessContext, runProcess } from "#lib/process.ts";
import { VERSION } from "#lib/version.ts";
import { createByteBudget } from "../limit/byte-budget.ts";
import { createOpenStreams } from "../limit/open-streams.ts";
import { createApiServer } from "../server.ts";
import { createModelGatewayApp } from "./app.ts";
import { createClassCatalog } from "./catalog.ts";
import { readModelGatewayConfig } from "./config.ts";
import { UsageMetrics } from "./usage-metrics.ts";

const NAME = "model-gateway";
/** Until every node has heard that this replica takes no more calls. */
const ENDPOINTS_MS = 5_000;
const CONNECT_MS = 10_000;

await runProcess({ name: NAME, main });

async function main({ signal, env }: ProcessContext): Promise<void> {
  await keysReady();
  const config = readModelGatewayConfig(env);
  const clock = systemClock;
  const log = createLogger(NAME, config.logLevel);
  const registry = createRegistry(NAME, VERSION);
  const access = loadKubeAccess(config.kubeconfig);
  const client = createKubeClient({ config: access, userAgent: `hatchery-${NAME}/${VERSION}`, registry, log });
  const classes = createInformer({ client, type: CLASSES, log, registry });
  const metrics = new UsageMetrics(registry, clock);
  // HTTP/2 in undici never gives up on a peer that fell silent.
  const dispatcher = new Agent({ allowH2: false, connect: { timeout: CONNECT_MS } });
  const app = createModelGatewayApp({
    keyRing: config.keyRing,
    catalog: createClassCatalog(classes),
    providers: config.providers,
    dispatcher,
    calls: createOpenStreams(config.maxCallsPerSlot),
    bodies: createByteBudget({ total: config.maxBodyBytes, perOwner: config.maxBodyBytesPerSlot }),
    metrics,
    clock,
    log,
    newId: randomUUID,
  });
  const checks = { classes: () => (classes.hasSynced ? undefined : "the OpenClawClasses have not been read yet") };
  const ops = createOpsServer({ port: config.opsPort, registry, checks, log });
  // What runs beside the calls goes on until the last of them has ended.
  const beside = new AbortController();
  await ops.listen();
  const server = createApiServer(app, { port: config.port, clock });
  const { port } = await server.listen();
  log.info({ port, version: VERSION, providers: [...config.providers.keys()] }, "listening");
  ops.setReady(true);
  const work = Promise.all([classes.run(beside.signal), metrics.run(beside.signal)]);
  await Promise.race([work, aborted(signal)]);

  log.info("draining");
  ops.setReady(false);
  await sleep(clock, ENDPOINTS_MS);
  await server.drain(config.drainMs);
  beside.abort(new Error("the process stops"));
  await work;
  await Promise.all([dispatcher.close(), client.close(), ops.close()]);
}
