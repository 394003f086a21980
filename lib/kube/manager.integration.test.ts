import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeAll, beforeEach, expect, inject, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { createOpsServer } from "#lib/ops-server.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { createKubeClient } from "./client.ts";
import { type KubeAccess, loadKubeAccess } from "./config.ts";
import { createController } from "./controller.ts";
import { createEventRecorder } from "./events.ts";
import { createInformer } from "./informer.ts";
import { runManager } from "./manager.ts";
import { CONFIG_MAPS, EVENTS, LEASES } from "./resource.ts";
import { objectKey, parseKey } from "./types.ts";

const log = pino({ level: "silent" });
/** Renewed often; nobody waits it out within a test. */
const LEASE = { name: "workers", durationMs: 7_200_000, renewDeadlineMs: 3_600_000, retryMs: 20 };

let access: KubeAccess;
let cluster: TestNamespace;
let stop: AbortController;

beforeAll(async () => {
  access = loadKubeAccess(inject("kubeconfig"));
  cluster = await createTestNamespace(access, "manager");
});

afterAll(() => cluster[Symbol.asyncDispose]());

beforeEach(({ onTestFinished }) => {
  stop = new AbortController();
  onTestFinished(() => stop.abort());
});

/** A whole small operator: it marks each ConfigMap of the namespace with its identity. */
async function startOperator(identity: string) {
  const { namespace } = cluster;
  const registry = new Registry();
  const client = createKubeClient({ config: access, userAgent: identity, log, registry });
  const informer = createInformer({ client, type: CONFIG_MAPS, namespace, labelSelector: "marked=yes", log, registry });
  const events = createEventRecorder({
    client,
    component: "example.com/marker",
    instanceName: identity,
    clock: systemClock,
    log,
  });
  const controller = createController({
    name: "marker",
    workers: 2,
    clock: systemClock,
    log,
    registry,
    async reconcile(key, { signal }) {
      const live = informer.get(key);
      if (!live || live.data?.by) return undefined;
      await client.mergePatch(CONFIG_MAPS, parseKey(key), { data: { by: identity } }, { signal });
      events.record(live, { type: "Normal", reason: "Marked", note: "marked", action: "Mark" });
      return undefined;
    },
  });
  informer.onChange(({ object }) => controller.queue.add(objectKey(object)));
  const listening = Promise.withResolvers<number>();
  const ops = createOpsServer({ port: 0, host: "127.0.0.1", registry, checks: {}, log });
  const end = new AbortController();
  const ended = runManager({
    informers: [informer],
    controllers: [controller],
    lease: { client, namespace, identity, clock: systemClock, log, registry, ...LEASE },
    opsServer: {
      ...ops,
      async listen() {
        const address = await ops.listen();
        listening.resolve(address.port);
        return address;
      },
    },
    events,
    client,
    log,
    clock: systemClock,
    signal: AbortSignal.any([end.signal, stop.signal]),
  });
  const port = await listening.promise;
  await informer.synced();
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  return { ended, stop: () => end.abort(), get };
}

/** Makes a ConfigMap and waits until somebody marked it; answers who. */
async function markedBy(name: string): Promise<string | undefined> {
  const { client, namespace } = cluster;
  const metadata = { name, namespace, labels: { marked: "yes" } };
  const made = await client.create(CONFIG_MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata });
  const end = new AbortController();
  const since = made.metadata.resourceVersion ?? "";
  const selection = { namespace, fieldSelector: `metadata.name=${name}`, resourceVersion: since, signal: end.signal };
  for await (const event of client.watch(CONFIG_MAPS, selection)) {
    if (event.type === "BOOKMARK") continue;
    const by = event.object.data?.by;
    if (by) return by;
  }
  return undefined;
}

it("runs one leader over a warm standby, which goes on where the leader stopped in good order", async () => {
  const first = await startOperator("first");
  expect(await markedBy("one")).toBe("first");
  const second = await startOperator("second");
  expect(await second.get("/metrics")).toContain('leader_election_master_status{name="workers"} 0');
  expect(await markedBy("two")).toBe("first");

  first.stop();
  await first.ended;
  // The last event was flushed before the client closed.
  const { items } = await cluster.client.list(EVENTS, { namespace: cluster.namespace });
  expect(items.filter((event) => event.reportingInstance === "first").map((event) => event.regarding?.name)).toEqual(
    expect.arrayContaining(["one", "two"]),
  );
  await expect(first.get("/livez")).rejects.toThrow();

  expect(await markedBy("three")).toBe("second");
  const metrics = await second.get("/metrics");
  expect(metrics).toContain('leader_election_master_status{name="workers"} 1');
  expect(metrics).toMatch(/controller_runtime_reconcile_total\{controller="marker",result="success"\} [1-9]/);
  expect(JSON.parse(await second.get("/readyz"))).toEqual({ ready: true, checks: { process: "ok" } });
  second.stop();
  await second.ended;
  const lease = await cluster.client.get(LEASES, { namespace: cluster.namespace, name: "workers" });
  expect(lease?.spec?.holderIdentity).toBeUndefined();
  expect(lease?.spec?.leaseTransitions).toBe(1);
});

it("ends with an error when the lead is lost", async () => {
  const operator = await startOperator("deposed");
  expect(await markedBy("four")).toBe("deposed");
  const failed = expect(operator.ended).rejects.toThrow(`lost the lease ${cluster.namespace}/workers`);
  const ref = { name: "workers", namespace: cluster.namespace };
  await cluster.client.mergePatch(LEASES, ref, { spec: { holderIdentity: "thief" } });
  await failed;
  await expect(operator.get("/livez")).rejects.toThrow();
});
