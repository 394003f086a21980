import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { CLASSES, INSTANCES, LABEL } from "#crds/index.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { createInformer } from "#lib/kube/informer.ts";
import {
  CONFIG_MAPS,
  EVENTS,
  LEASES,
  type Lease,
  NAMESPACES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
  SERVICES,
} from "#lib/kube/resource.ts";
import { createLogger } from "#lib/log.ts";
import { type ControlPlane, startControlPlane } from "#test/cluster/control-plane.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { type AuditedRequest, readAuditLog } from "#test/harness/audit-log.ts";
import { installCrds } from "#test/harness/integration-setup.ts";
import {
  adminClient,
  classNamed,
  createSandbox,
  instanceNamed,
  isReady,
  ROOT_KEY,
  startNode,
} from "./operator.fixture.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const CONTROL_NAMESPACE = "hatchery";
const CHILDREN = [SECRETS, CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, SERVICES, PODS];
const COUNT = 200;

/** An operator as a process of its own. */
interface OperatorProcess {
  readonly child: ChildProcess;
  /** Where `/readyz` and `/metrics` are. */
  readonly ops: string;
}

let plane: ControlPlane;
let client: KubeClient;
const running = new Set<ChildProcess>();

beforeAll(async () => {
  plane = await startControlPlane({ audit: true });
  await installCrds(plane);
  client = adminClient(plane.kubeconfig);
  await client.create(NAMESPACES, { apiVersion: "v1", kind: "Namespace", metadata: { name: CONTROL_NAMESPACE } });
});
afterEach(async () => {
  await Promise.all([...running].map(kill));
});
afterAll(async () => {
  await client.close();
  await plane.stop();
});

async function start(name: string): Promise<OperatorProcess> {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env.PATH,
      OPENCLAW_ENCRYPTION_KEY: ROOT_KEY,
      MODEL_GATEWAY_URL: "http://model-gateway.test:8080",
      POD_NAMESPACE: CONTROL_NAMESPACE,
      POD_NAME: name,
      OPS_PORT: "0",
      KUBECONFIG: plane.kubeconfig,
    },
    stdio: ["ignore", "pipe", "ignore"],
  });
  running.add(child);
  const { promise, resolve } = Promise.withResolvers<number>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { msg, port } = JSON.parse(line) as { msg?: string; port?: number };
    if (msg === "ops server listens" && port) resolve(port);
  });
  return { child, ops: `http://127.0.0.1:${await promise}` };
}

async function kill(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

/** Until all its caches are synced; answers its checks. */
async function ready({ ops }: OperatorProcess): Promise<unknown> {
  const answer = await waitFor("a ready operator", async () => {
    const response = await fetch(`${ops}/readyz`);
    return response.ok && response;
  });
  return (await answer.json()) as unknown;
}

/** How many requests that change something a process has sent; a lease is looked at by GET, and held by PUT. */
async function writesOf({ ops }: OperatorProcess): Promise<number> {
  const text = await (await fetch(`${ops}/metrics`)).text();
  return [...text.matchAll(/^rest_client_requests_total\{.*method="(?:POST|PATCH|DELETE)".*\} (\d+)$/gm)]
    .map(([, count]) => Number(count))
    .reduce((sum, count) => sum + count, 0);
}

async function leader(): Promise<string | undefined> {
  const lease = await client.get(LEASES, { namespace: CONTROL_NAMESPACE, name: "hatchery-operator" });
  return lease?.spec?.holderIdentity?.split("_", 1)[0];
}

it(`killed with -9 while ${COUNT} instances are being made, the leader is followed by a warm standby that ends the work`, async () => {
  const namespace = await createSandbox(client);
  await client.create(CLASSES, classNamed(namespace));
  const node = await startNode(client, namespace);
  const stop = new AbortController();
  const pods = createInformer({ client, type: PODS, namespace, log: createLogger("test", "warn") });
  const instances = createInformer({ client, type: INSTANCES, namespace, log: createLogger("test", "warn") });
  const leases = createInformer({
    client,
    type: LEASES,
    namespace: CONTROL_NAMESPACE,
    log: createLogger("test", "warn"),
  });
  const terms: Lease["spec"][] = [];
  leases.onChange(({ object }) => terms.push(object.spec));
  const caches = [pods, instances, leases];
  const watching = Promise.all(caches.map((cache) => cache.run(stop.signal)));
  await Promise.all(caches.map((cache) => cache.synced()));
  try {
    const first = await start("operator-0");
    await waitFor("a leader", async () => (await leader()) === "operator-0");
    const standby = await start("operator-1");
    expect(await ready(standby)).toMatchObject({ checks: { pods: "ok", lease: "ok" } });

    const half = reached(() => pods.list().length >= COUNT / 4, pods);
    const creating = createAll(namespace);
    await half;
    const [leaderWrote, standbyWrote] = await Promise.all([writesOf(first), writesOf(standby)]);
    await kill(first.child);
    const killedAt = new Date().toISOString();
    await creating;
    const made = pods.list().length;
    expect(made).toBeLessThan(COUNT);
    await reached(() => instances.list().length === COUNT && instances.list().every(isReady), instances);

    expect(leaderWrote).toBeGreaterThan(COUNT / 4);
    expect(standbyWrote).toBe(0);
    expect(await leader()).toBe("operator-1");
    const asked = await operatorRequests(namespace);
    tellTakeover(terms);
    await expectNoDoubles(namespace, asked);
    tell(killedAt, asked);
  } finally {
    stop.abort();
    await watching;
    await node.stop();
  }
});

async function createAll(namespace: string): Promise<void> {
  for (let i = 0; i < COUNT; i++) {
    await client.create(INSTANCES, instanceNamed(namespace, `claw-${i}`, { className: namespace }));
  }
}

/** Resolves once `done`, looked at with every change of the cache. */
async function reached(done: () => boolean, cache: { onChange(handler: () => void): () => void }): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => {
    if (done()) resolve();
  };
  const end = cache.onChange(look);
  look();
  await promise;
  end();
}

async function operatorRequests(namespace: string): Promise<AuditedRequest[]> {
  const all = await readAuditLog(plane.auditLog ?? "");
  return all.filter((r) => r.namespace === namespace && r.userAgent.startsWith("hatchery-operator/"));
}

/** A figure for the log of the run: how soon a term follows is proven where a test holds the clock. */
function tellTakeover(terms: readonly Lease["spec"][]): void {
  const of = (name: string) => terms.filter((spec) => spec?.holderIdentity?.startsWith(`${name}_`));
  const [last, next] = [of("operator-0").at(-1), of("operator-1")[0]];
  const tookMs = Date.parse(next?.acquireTime ?? "") - Date.parse(last?.renewTime ?? "");
  expect(tookMs).toBeGreaterThan(0);
  process.stdout.write(`the lead was taken over ${(tookMs / 1000).toFixed(1)} s after its last renewal\n`);
}

/** Each child made once and of the slot its instance tells of; nothing deleted; two status writes, and one for the change of leader; no Event twice. */
async function expectNoDoubles(namespace: string, asked: readonly AuditedRequest[]): Promise<void> {
  expect(asked.filter(({ verb }) => verb === "delete")).toEqual([]);
  for (const { plural } of CHILDREN) {
    const made = asked.filter(({ resource, code }) => resource === plural && code === 201).map(({ name }) => name);
    expect(made.length, plural).toBeLessThanOrEqual(COUNT);
    expect(new Set(made).size, plural).toBe(made.length);
  }
  const told = Map.groupBy(
    asked.filter(({ resource, code }) => resource === "openclawinstances/status" && code === 200),
    ({ name }) => name,
  );
  for (const [name, writes] of told) expect(writes.length, name).toBeLessThanOrEqual(3);
  const events = (await client.list(EVENTS, { namespace })).items.map(
    ({ regarding, reason }) => `${regarding?.name} ${reason}`,
  );
  expect(new Set(events).size, events.join(", ")).toBe(events.length);
  const { items } = await client.list(INSTANCES, { namespace });
  const slots = new Map(items.map(({ metadata, status }) => [`openclaw-${metadata.name}`, status?.runtime?.slot]));
  for (const type of [SECRETS, PERSISTENT_VOLUME_CLAIMS, PODS]) {
    const children = (await client.list(type, { namespace })).items;
    expect(children.length, type.kind).toBe(COUNT);
    for (const { metadata } of children)
      expect(metadata.labels?.[LABEL.slot], metadata.name).toBe(slots.get(metadata.name));
  }
}

/** A figure for the log of the run, and no assertion: how long it takes is the lease's and the machine's doing. */
function tell(killedAt: string, asked: readonly AuditedRequest[]): void {
  const writes = asked.filter(({ verb, receivedAt }) => verb === "patch" && receivedAt > killedAt);
  const at = (request: AuditedRequest | undefined) =>
    ((Date.parse(request?.receivedAt ?? "") - Date.parse(killedAt)) / 1000).toFixed(1);
  process.stdout.write(
    `leader killed: first useful write after ${at(writes[0])} s, the last of ${writes.length} after ${at(writes.at(-1))} s\n`,
  );
}
