import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import {
  ANNOTATION,
  CLASSES,
  type ClassSpec,
  INSTANCES,
  type OpenClawClass,
  type OpenClawInstance,
} from "#crds/index.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { findCondition } from "#lib/kube/conditions.ts";
import { createInformer, type Informer } from "#lib/kube/informer.ts";
import { CONFIG_MAPS, PODS, type Pod } from "#lib/kube/resource.ts";
import { createLogger } from "#lib/log.ts";
import { waitFor } from "#test/cluster/wait.ts";
import type { PodFate } from "#test/harness/fake-node.ts";
import {
  adminClient,
  classNamed,
  createSandbox,
  instanceNamed,
  isReady,
  type RunningOperator,
  startNode,
  startOperator,
} from "./operator.fixture.ts";

const COUNT = 10;
const MAX_UNAVAILABLE = 2;
const OLD = "registry.test/openclaw:2026.9.6-0123456789ab";
const NEW = "registry.test/openclaw:2026.10.0";
const BROKEN = "registry.test/openclaw:broken";
const NEW_MODEL = { name: "newer", provider: "simulated", providerModel: "simulated-2" };

let client: KubeClient;
let namespace: string;
let operator: RunningOperator;
let node: Awaited<ReturnType<typeof startNode>>;
let stop: AbortController;
let pods: Informer<Pod>;
let instances: Informer<OpenClawInstance>;
let watching: Promise<unknown>;
/** The most instances that had no ready pod, or said they were not ready, at any event of the watches. */
let most: { withoutPod: number; unready: number };

beforeAll(() => {
  client = adminClient(inject("kubeconfig"));
});
afterAll(() => client.close());

/** Ten instances that are ready, with a watch on how many of them are not. */
beforeEach(async () => {
  namespace = await createSandbox(client);
  const plan = classNamed(namespace, { rollout: { maxUnavailable: MAX_UNAVAILABLE } });
  await client.create(CLASSES, plan);
  node = await startNode(client, namespace, fateOf);
  operator = await startOperator(inject("kubeconfig"), namespace);
  stop = new AbortController();
  const options = { client, namespace, log: createLogger("test", "warn") };
  pods = createInformer({ ...options, type: PODS });
  instances = createInformer({ ...options, type: INSTANCES });
  watching = Promise.all([pods.run(stop.signal), instances.run(stop.signal)]);
  await Promise.all([pods.synced(), instances.synced()]);
  for (let i = 0; i < COUNT; i++) {
    await client.create(INSTANCES, instanceNamed(namespace, `claw-${i}`, { className: namespace }));
  }
  await until(() => instances.list().length === COUNT && instances.list().every(isReady));
  most = { withoutPod: 0, unready: 0 };
  const count = () => {
    most.withoutPod = Math.max(most.withoutPod, COUNT - pods.list().filter(isServing).length);
    most.unready = Math.max(most.unready, instances.list().filter((instance) => !isReady(instance)).length);
  };
  pods.onChange(count);
  instances.onChange(count);
});

afterEach(async () => {
  await operator.stop();
  await node.stop();
  stop.abort();
  await watching;
  await client.delete(CLASSES, { name: namespace });
});

/** The check of what breaks finds nothing: it is the pods that are told of here. */
function fateOf(pod: Pod): PodFate {
  if (imageOf(pod) !== BROKEN || pod.spec?.restartPolicy === "Never") return "ready";
  const waiting = { reason: "ImagePullBackOff", message: "not found" };
  const container = { name: "openclaw", image: BROKEN, imageID: "", ready: false, restartCount: 0 };
  return { phase: "Pending", containerStatuses: [{ ...container, state: { waiting } }] };
}

function imageOf(pod: Pod): string {
  return pod.spec?.containers[0]?.image ?? "";
}

function isServing({ metadata, status }: Pod): boolean {
  const ready = status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True");
  return ready === true && !metadata.deletionTimestamp;
}

/** How many ready pods run this image. */
function running(image: string): number {
  return pods.list().filter((pod) => isServing(pod) && imageOf(pod) === image).length;
}

/** Resolves once `done`, looked at with every event of the watches. */
async function until(done: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = () => {
    if (done()) resolve();
  };
  const ends = [pods.onChange(look), instances.onChange(look)];
  look();
  await promise;
  for (const end of ends) end();
}

async function change(spec: Partial<ClassSpec>): Promise<void> {
  await client.mergePatch(CLASSES, { name: namespace }, { spec });
}

async function classWhen(wanted: (plan: OpenClawClass) => boolean): Promise<OpenClawClass> {
  return waitFor("the status of the class", async () => {
    const plan = await client.get(CLASSES, { name: namespace });
    return plan && plan.status?.observedGeneration === plan.metadata.generation && wanted(plan) ? plan : undefined;
  });
}

const rolledOut = ({ status }: OpenClawClass) => findCondition(status?.conditions, "RolledOut");

describe("a change of a class", () => {
  it("reaches its instances two at a time, and all of them in the end", async () => {
    await change({ image: NEW });
    await until(() => running(NEW) === COUNT && instances.list().every(isReady));
    expect(most.withoutPod).toBe(MAX_UNAVAILABLE);
    expect(most.unready).toBe(MAX_UNAVAILABLE);
    const plan = await classWhen((is) => rolledOut(is)?.status === "True" && is.status?.ready === COUNT);
    expect(plan.status).toMatchObject({ instances: COUNT, ready: COUNT });
  });

  it("keeps to that when the operator starts anew in the middle", async () => {
    await change({ image: NEW });
    for (const done of [2, 5, 8]) {
      await until(() => running(NEW) >= done);
      await operator.stop();
      operator = await startOperator(inject("kubeconfig"), namespace);
    }
    await until(() => running(NEW) === COUNT && instances.list().every(isReady));
    expect(most.withoutPod).toBeLessThanOrEqual(MAX_UNAVAILABLE);
  });

  it("that breaks them stops at the first two, also in an operator that starts anew, and a correction goes through", async () => {
    await change({ image: BROKEN, models: [NEW_MODEL as never] });
    const stuck = await classWhen((plan) => rolledOut(plan)?.reason === "RolloutStuck");
    const broken = instances.list().filter((instance) => !isReady(instance));
    expect(broken).toHaveLength(MAX_UNAVAILABLE);
    for (const { metadata } of broken) expect(rolledOut(stuck)?.message).toContain(`${namespace}/${metadata.name}`);
    expect(rolledOut(stuck)?.message).toContain(`${COUNT - MAX_UNAVAILABLE} more wait`);
    expect(stuck.status).toMatchObject({ instances: COUNT, ready: COUNT - MAX_UNAVAILABLE });
    const { items } = await client.list(CONFIG_MAPS, { namespace, labelSelector: "app.kubernetes.io/name=openclaw" });
    const changed = items.filter(({ data }) => data?.["openclaw.json"]?.includes("newer"));
    expect(changed.map(({ metadata }) => metadata.name).sort()).toEqual(
      broken.map(({ metadata }) => `openclaw-${metadata.name}`).sort(),
    );

    await operator.stop();
    operator = await startOperator(inject("kubeconfig"), namespace);
    await waitFor("a look at all", () => operator.controllers.every(({ queue }) => queue.depth === 0));
    expect(running(OLD)).toBe(COUNT - MAX_UNAVAILABLE);

    // Its own spec is each instance's own affair.
    const own = "registry.test/openclaw:2026.11.0";
    const [first] = instances.list().filter(isReady);
    await client.mergePatch(INSTANCES, first?.metadata ?? { name: "" }, { spec: { image: own } });
    await until(() => running(own) === 1);
    expect(running(OLD)).toBe(COUNT - MAX_UNAVAILABLE - 1);

    await change({ image: NEW });
    await until(() => running(NEW) === COUNT - 1 && instances.list().every(isReady));
    expect(most.withoutPod).toBeLessThanOrEqual(MAX_UNAVAILABLE + 1);
    await classWhen((plan) => rolledOut(plan)?.status === "True");
  });

  it("leaves those alone that are stopped, and they cost nobody a turn", async () => {
    const names = [0, 1, 2].map((i) => `claw-${i}`);
    for (const name of names)
      await client.mergePatch(INSTANCES, { namespace, name }, { spec: { runPolicy: "Stopped" } });
    await until(() => instances.list().filter(({ status }) => status?.phase === "Stopped").length === names.length);
    await change({ image: NEW });
    await until(() => running(NEW) === COUNT - names.length);
    expect(most.withoutPod).toBeLessThanOrEqual(MAX_UNAVAILABLE + names.length);
    await client.mergePatch(INSTANCES, { namespace, name: "claw-0" }, { spec: { runPolicy: "Always" } });
    await until(() => running(NEW) === COUNT - names.length + 1);
    const again = pods.get(`${namespace}/openclaw-claw-0`);
    expect(again?.metadata.annotations).not.toHaveProperty(ANNOTATION.rollout);
  });
});
