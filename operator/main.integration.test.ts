import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { CLASSES, INSTANCES, LABEL } from "#crds/index.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { createInformer } from "#lib/kube/informer.ts";
import {
  CONFIG_MAPS,
  EVENTS,
  LEASES,
  NAMESPACES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
  SERVICES,
} from "#lib/kube/resource.ts";
import { createLogger } from "#lib/log.ts";
import { type ControlPlane, startControlPlane } from "#test/cluster/control-plane.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { countRequests, readAuditLog } from "#test/harness/audit-log.ts";
import type { SeenRequest } from "#test/harness/fault-proxy/fault.ts";
import { startFaultProxy } from "#test/harness/fault-proxy/proxy.ts";
import { installCrds } from "#test/harness/integration-setup.ts";
import { MANAGED_SELECTOR } from "./build/identity.ts";
import {
  adminClient,
  classNamed,
  createSandbox,
  instanceNamed,
  isReady,
  ROOT_KEY,
  startNode,
  untilInstance,
} from "./operator.fixture.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));
const CONTROL_NAMESPACE = "hatchery";
const CHILDREN = [SECRETS, CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, SERVICES, PODS];
const COUNT = 20;
/** As many as the operator opens for its work. */
const CONNECTIONS = 32;
const log = createLogger("test", "warn");

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

function environment(): Record<string, string> {
  return {
    OPENCLAW_ENCRYPTION_KEY: ROOT_KEY,
    MODEL_GATEWAY_URL: "http://model-gateway.test:8080",
    POD_NAMESPACE: CONTROL_NAMESPACE,
    POD_NAME: "operator-0",
    OPS_PORT: "0",
    LOG_LEVEL: "warn",
    KUBECONFIG: plane.kubeconfig,
  };
}

function start(env: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

describe("the operator as a process", () => {
  it("does not start with an unusable environment, and names every fault of it", async () => {
    const child = start({
      ...environment(),
      OPENCLAW_ENCRYPTION_KEY: "short",
      MODEL_GATEWAY_URL: "nowhere",
      WORKERS: "0",
    });
    let said = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(1);
    for (const name of ["OPENCLAW_ENCRYPTION_KEY", "MODEL_GATEWAY_URL", "WORKERS"]) expect(said).toContain(name);
    expect(said).not.toContain("short");
  });

  it("ends in good order when told to: the last Event is written, the lease given up", async () => {
    const namespace = await createSandbox(client);
    const child = start(environment());
    const exit = once(child, "exit");
    const ref = { namespace, name: "alice" };
    await client.create(INSTANCES, instanceNamed(namespace, "alice", { className: `no-${namespace}` }));
    await untilInstance(client, ref, ({ status }) => status?.failure?.reason === "ClassNotFound");
    child.kill("SIGTERM");
    expect(await exit).toEqual([0, null]);
    const { items } = await client.list(EVENTS, { namespace });
    expect(items.map(({ reason, regarding }) => [reason, regarding?.name])).toEqual([["ClassNotFound", "alice"]]);
    const lease = await client.get(LEASES, { namespace: CONTROL_NAMESPACE, name: "hatchery-operator" });
    expect(lease?.spec?.leaseTransitions).toBeDefined();
    expect(lease?.spec?.holderIdentity).toBeUndefined();
  });

  it("keeps its lead while every connection of its work hangs", async () => {
    const namespace = await createSandbox(client);
    await client.create(CLASSES, classNamed(namespace));
    for (let i = 0; i < CONNECTIONS; i++) {
      await client.create(INSTANCES, instanceNamed(namespace, `claw-${i}`, { className: namespace }));
    }
    const proxy = await startFaultProxy(plane.kubeconfig);
    try {
      // But for the policy that all share, and wait for.
      const match = ({ method, path }: SeenRequest) => method === "PATCH" && !path.includes("/networkpolicies/");
      const hung = proxy.inject({ kind: "silence" }, { match });
      const child = start({ ...environment(), KUBECONFIG: proxy.kubeconfig, WORKERS: String(2 * CONNECTIONS) });
      const gone = once(child, "exit").then(([code]) => `the operator ended with ${code}`);
      expect(await Promise.race([hung.hit(CONNECTIONS), gone])).toBeUndefined();
      const renewals = proxy.inject({ kind: "lose-answer" }, { match: ({ method }) => method === "PUT", times: 2 });
      expect(await Promise.race([renewals.hit(2), gone])).toBeUndefined();
    } finally {
      await Promise.all([...running].map(kill));
      await proxy.close();
    }
  });

  it("killed in the middle of creating twenty instances ends, restarted, in the same state with no doubles", async () => {
    const namespace = await createSandbox(client);
    await client.create(CLASSES, classNamed(namespace));
    const node = await startNode(client, namespace);
    const stop = new AbortController();
    const caches = CHILDREN.map((type) =>
      createInformer({ client, type, namespace, labelSelector: MANAGED_SELECTOR, log }),
    );
    const watching = Promise.all(caches.map((cache) => cache.run(stop.signal)));
    await Promise.all(caches.map((cache) => cache.synced()));
    const made = () => caches.reduce((sum, cache) => sum + cache.list().length, 0);
    try {
      for (let i = 0; i < COUNT; i++) {
        await client.create(INSTANCES, instanceNamed(namespace, `claw-${i}`, { className: namespace }));
      }
      const all = COUNT * CHILDREN.length;
      const kills = [randomInt(1, all / 2), randomInt(all / 2, all)];
      for (const count of kills) {
        const child = start(environment());
        await reached(() => made() >= count, caches);
        await kill(child);
      }
      const before = caches.map((cache) => new Map(cache.list().map((o) => [o.metadata.name, o.metadata.uid])));

      start(environment());
      await waitFor(`all ready after kills at ${kills.join(" and ")} children`, async () => {
        const { items } = await client.list(INSTANCES, { namespace });
        return items.every(isReady);
      });
      await expectNoDoubles(namespace, before);
    } finally {
      stop.abort();
      await watching;
      await node.stop();
    }
  });
});

/** One child of each kind per instance, those of `before` (uids by name, per kind) still the same, all of one slot, made once. */
async function expectNoDoubles(namespace: string, before: readonly ReadonlyMap<string, string | undefined>[]) {
  const { items } = await client.list(INSTANCES, { namespace });
  for (const [index, type] of CHILDREN.entries()) {
    const children = (await client.list(type, { namespace, labelSelector: MANAGED_SELECTOR })).items;
    expect(children.length, type.kind).toBe(COUNT);
    const now = new Map(children.map(({ metadata }) => [metadata.name, metadata.uid]));
    for (const [name, uid] of before[index] ?? []) expect(now.get(name), `${type.kind} ${name}`).toBe(uid);
  }
  for (const { metadata, status } of items) {
    for (const type of [SECRETS, PERSISTENT_VOLUME_CLAIMS, PODS]) {
      const child = await client.get(type, { namespace, name: `openclaw-${metadata.name}` });
      expect(child?.metadata.labels?.[LABEL.slot], `${type.kind} of ${metadata.name}`).toBe(status?.runtime?.slot);
    }
  }
  const asked = (await readAuditLog(plane.auditLog ?? "")).filter(
    (r) => r.namespace === namespace && r.userAgent.startsWith("hatchery-operator/"),
  );
  expect(asked.filter(({ verb }) => verb === "delete")).toEqual([]);
  const created = countRequests(asked.filter(({ code }) => code === 201));
  // Less by the request whose sender was gone before its answer.
  for (const { plural } of CHILDREN) expect(created[`patch ${plural}`], plural).toBeLessThanOrEqual(COUNT);
}

/** Resolves once `done`, looked at with every change of the caches. */
async function reached(
  done: () => boolean,
  caches: readonly { onChange(handler: () => void): () => void }[],
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => {
    if (done()) resolve();
  };
  const unsubscribe = caches.map((cache) => cache.onChange(look));
  look();
  await promise;
  for (const end of unsubscribe) end();
}
