import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  CLASSES,
  GROUP,
  INSTANCES,
  LABEL,
  type OpenClawClass,
  type OpenClawInstance,
  PHASE,
  VERSION,
} from "#crds/index.ts";
import { createInformer } from "#lib/kube/informer.ts";
import { CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS, SERVICES } from "#lib/kube/resource.ts";
import type { KubeObject, ResourceType } from "#lib/kube/types.ts";
import { createLogger } from "#lib/log.ts";
import { connectSystem, type System } from "./system.ts";

const COUNT = 20;
/** The children of every instance. */
const CHILDREN: readonly ResourceType<KubeObject>[] = [SECRETS, CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, SERVICES, PODS];

let system: System;
/** A class of many small pods, and a namespace of their own. */
const className = `light-${randomUUID().slice(0, 8)}`;
const namespace = className;
const log = createLogger("e2e", "silent");

beforeAll(async () => {
  system = await connectSystem();
  await system.machine.kubectl("create", "namespace", namespace);
  await system.machine.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted");
  const amounts = { cpu: "10m", memory: "16Mi" };
  const spec = {
    image: system.lightImage,
    resources: { requests: amounts, limits: { cpu: "100m", memory: "64Mi" } },
    storage: { size: "300Mi" },
    models: [{ name: "default", provider: "default", providerModel: "simulated-1" }],
    drainSeconds: 0,
    deletionPolicy: "Delete",
  };
  const body = {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: CLASSES.kind,
    metadata: { name: className },
    spec,
  } as unknown;
  await system.client.apply(CLASSES, body as OpenClawClass, { fieldManager: "e2e" });
});
afterAll(async () => {
  await system.machine.kubectl("delete", "claws", "--all", "--namespace", namespace, "--timeout=240s");
  await system.machine.kubectl("delete", "namespace", namespace, "--timeout=240s");
  await system.client.delete(CLASSES, { name: className });
  await system[Symbol.asyncDispose]();
});

function createInstance(name: string): Promise<OpenClawInstance> {
  const spec = { owner: { subject: name }, className };
  const body = {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: INSTANCES.kind,
    metadata: { name, namespace },
    spec,
  } as unknown;
  return system.client.create(INSTANCES, body as OpenClawInstance);
}

/** Resolves with all instances of the namespace once there are `count` and all are ready. */
async function allReady(count: number): Promise<OpenClawInstance[]> {
  const names = Array.from({ length: count }, (_, index) => nameOf(index));
  return Promise.all(names.map((name) => ready(name, () => true)));
}

async function ready(name: string, wanted: (instance: OpenClawInstance) => boolean): Promise<OpenClawInstance> {
  const found = await system.until(
    INSTANCES,
    { name, namespace },
    (instance) => instance?.status?.phase === PHASE.Ready && wanted(instance),
  );
  if (!found) throw new Error(`${name} is gone`);
  return found;
}

const nameOf = (index: number) => `claw-${index}`;

/** Everything the operator made for instances, as `kind name` to UID. */
async function childrenByName(): Promise<Map<string, KubeObject>> {
  const lists = await Promise.all(
    CHILDREN.map(async (type) => {
      const { items } = await system.client.list(type, { namespace, labelSelector: LABEL.instance });
      return items.map((item) => [`${type.plural} ${item.metadata.name}`, item] as const);
    }),
  );
  return new Map(lists.flat());
}

async function killOperators(): Promise<void> {
  const selector = "app.kubernetes.io/component=operator";
  const args = ["delete", "pods", "--namespace", system.namespace, "--selector", selector];
  await system.machine.kubectl(...args, "--grace-period=0", "--force");
}

describe("the operator killed while it creates twenty instances", () => {
  it("brings all of them to ready once it is back, each with one set of children, and makes none anew", async () => {
    const pods = createInformer({ client: system.client, type: PODS, namespace, log });
    const stop = new AbortController();
    const firstPod = new Promise<void>((resolve) => {
      pods.onChange(({ type }) => type === "added" && resolve());
    });
    const watching = pods.run(stop.signal);
    await pods.synced();
    // The second half is asked for while the operator dies, so that it surely dies in the middle.
    await Promise.all(Array.from({ length: COUNT / 2 }, (_, index) => createInstance(nameOf(index))));
    await firstPod;
    const killed = killOperators();
    for (let index = COUNT / 2; index < COUNT; index++) await createInstance(nameOf(index));
    await killed;
    stop.abort();
    await watching;
    const before = await childrenByName();
    expect(before.size).toBeGreaterThan(0);
    expect(before.size).toBeLessThan(COUNT * CHILDREN.length);

    const instances = await allReady(COUNT);
    const after = await childrenByName();
    const expected = instances.flatMap((instance) =>
      CHILDREN.map((type) => `${type.plural} openclaw-${instance.metadata.name}`),
    );
    expect([...after.keys()].sort()).toEqual(expected.sort());
    for (const [name, child] of before)
      expect({ name, uid: after.get(name)?.metadata.uid }).toEqual({ name, uid: child.metadata.uid });
    for (const instance of instances) expectOneSlot(instance, after);
    const slots = instances.map(({ status }) => status?.runtime?.slot);
    expect(new Set(slots).size).toBe(COUNT);
  });

  /** All children belong to the instance by UID and carry its one slot. */
  function expectOneSlot({ metadata, status }: OpenClawInstance, children: ReadonlyMap<string, KubeObject>): void {
    for (const type of CHILDREN) {
      const child = children.get(`${type.plural} openclaw-${metadata.name}`)?.metadata;
      expect(child?.ownerReferences).toMatchObject([{ kind: INSTANCES.kind, uid: metadata.uid, controller: true }]);
    }
    for (const type of [SECRETS, PERSISTENT_VOLUME_CLAIMS, PODS]) {
      const labels = children.get(`${type.plural} openclaw-${metadata.name}`)?.metadata.labels;
      expect(labels?.[LABEL.slot]).toBe(status?.runtime?.slot);
    }
  }
});

describe("a pod that is gone", () => {
  const name = nameOf(0);
  const runtime = `openclaw-${name}`;

  it.each([
    ["deleted", () => system.client.delete(PODS, { name: runtime, namespace })],
    ["failed", () => failPod()],
  ])("because it was %s is replaced, with the same volume", async (_how, remove) => {
    const [pod, claim] = await Promise.all([
      system.client.get(PODS, { name: runtime, namespace }),
      system.client.get(PERSISTENT_VOLUME_CLAIMS, { name: runtime, namespace }),
    ]);
    await remove();
    const instance = await ready(name, ({ status }) => status?.runtime?.podUID !== pod?.metadata.uid);
    const [newPod, sameClaim] = await Promise.all([
      system.client.get(PODS, { name: runtime, namespace }),
      system.client.get(PERSISTENT_VOLUME_CLAIMS, { name: runtime, namespace }),
    ]);
    expect(newPod?.metadata.uid).toBe(instance.status?.runtime?.podUID);
    expect(sameClaim).toMatchObject({
      metadata: { uid: claim?.metadata.uid },
      spec: { volumeName: claim?.spec?.volumeName },
    });
  });

  /** As an eviction leaves it: ended for good, and still there. */
  async function failPod(): Promise<void> {
    const status = { phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory." };
    await system.client.mergePatch(PODS, { name: runtime, namespace }, { status }, { subresource: "status" });
  }
});
