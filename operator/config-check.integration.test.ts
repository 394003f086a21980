import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { CLASSES, INSTANCES, type OpenClawInstance } from "#crds/index.ts";
import { timestamp } from "#lib/clock.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { CONFIG_MAPS, PODS, type Pod } from "#lib/kube/resource.ts";
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
  untilInstance,
} from "./operator.fixture.ts";

let client: KubeClient;
let namespace: string;
let operator: RunningOperator;
let node: Awaited<ReturnType<typeof startNode>>;
/** What becomes of the pods of checks, how many there were, and what becomes of those of instances. */
let checkFate: PodFate;
let checked: Set<string | undefined>;
let podFate: (pod: Pod) => PodFate | undefined;

const PASSES: PodFate = { phase: "Succeeded" };
const WORDS = "Config invalid: agents.defaults.timeoutSeconds: expected number";

beforeAll(() => {
  client = adminClient(inject("kubeconfig"));
});
afterAll(() => client.close());

beforeEach(async () => {
  namespace = await createSandbox(client);
  await client.create(CLASSES, classNamed(namespace, { drainSeconds: 0, rollout: { maxUnavailable: 10 } }));
  [checkFate, checked, podFate] = [PASSES, new Set(), () => undefined];
  node = await startNode(client, namespace, (pod) => {
    if (pod.spec?.restartPolicy !== "Never") return podFate(pod);
    checked.add(pod.metadata.uid);
    return checkFate;
  });
  operator = await startOperator(inject("kubeconfig"), namespace);
});

afterEach(async () => {
  await operator.stop();
  await node.stop();
  await client.delete(CLASSES, { name: namespace });
});

const ref = (name: string) => ({ namespace, name });

async function createReady(name: string): Promise<OpenClawInstance> {
  await client.create(INSTANCES, instanceNamed(namespace, name, { className: namespace }));
  return untilInstance(client, ref(name), isReady);
}

const setConfig = (name: string, config: object | null) =>
  client.mergePatch(INSTANCES, ref(name), { spec: { gateway: config && { config } } });

async function configOf(name: string): Promise<string> {
  return (await client.get(CONFIG_MAPS, ref(`openclaw-${name}`)))?.data?.["openclaw.json"] ?? "";
}

const podUID = (instance: OpenClawInstance) => instance.status?.runtime?.podUID;

function ended(exitCode: number, message: string): PodFate {
  const terminated = { exitCode, message, reason: "Error" };
  const container = { name: "openclaw", image: "", imageID: "", ready: false, restartCount: 0, state: { terminated } };
  return { phase: "Failed", containerStatuses: [container] };
}

describe("a changed configuration", () => {
  it("is not made for an instance that never ran", async () => {
    await createReady("alice");
    expect(checked.size).toBe(0);
  });

  it("replaces the pod when the check has passed, and the check is removed", async () => {
    const before = await createReady("alice");
    await setConfig("alice", { agents: { defaults: { timeoutSeconds: 601 } } });
    const after = await untilInstance(client, ref("alice"), (i) => isReady(i) && podUID(i) !== podUID(before));
    expect(after.status?.failure).toBeUndefined();
    expect(await configOf("alice")).toContain("601");
    expect(checked.size).toBe(1);
    await waitFor("the check to be removed", async () => !(await client.get(PODS, ref("check-openclaw-alice"))));
  });

  it("that is refused replaces nothing, also after a restart of the operator, until it is corrected", async () => {
    const before = await createReady("alice");
    checkFate = ended(1, WORDS);
    await setConfig("alice", { agents: { defaults: { timeoutSeconds: 602 } } });
    const rejected = (i: OpenClawInstance) => i.status?.failure?.reason === "ConfigRejected";
    const told = await untilInstance(client, ref("alice"), rejected);
    expect(told.status).toMatchObject({ phase: "Ready", runtime: { podUID: podUID(before) } });
    expect(told.status?.failure?.message).toContain(WORDS);
    expect(await configOf("alice")).not.toContain("602");

    await operator.stop();
    operator = await startOperator(inject("kubeconfig"), namespace);
    await waitFor("the queue to be empty", () => operator.controllers.every(({ queue }) => queue.size === 0));
    expect(checked.size).toBe(1);

    await setConfig("alice", null);
    const after = await untilInstance(client, ref("alice"), (i) => isReady(i) && !i.status?.failure);
    expect(podUID(after)).toBe(podUID(before));
    await waitFor("the check to be removed", async () => !(await client.get(PODS, ref("check-openclaw-alice"))));
  });

  it("of the class is checked once for all its instances", async () => {
    const names = ["a", "b", "c", "d"];
    const before = await Promise.all(names.map(createReady));
    await client.mergePatch(CLASSES, { name: namespace }, { spec: { gateway: { config: { ui: { a: 1 } } } } });
    for (const [index, name] of names.entries()) {
      const replaced = (i: OpenClawInstance) => isReady(i) && podUID(i) !== podUID(before[index] as OpenClawInstance);
      await untilInstance(client, ref(name), replaced);
    }
    expect(checked.size).toBe(1);
  });
});

describe("a changed image whose pod crashes", () => {
  const crashes = (): PodFate => ({
    phase: "Running",
    conditions: [{ type: "PodScheduled", status: "True", lastTransitionTime: timestamp(Date.now()) }],
    containerStatuses: [
      {
        name: "openclaw",
        image: "",
        imageID: "",
        ready: false,
        restartCount: 3,
        state: { waiting: { reason: "CrashLoopBackOff" } },
        lastState: { terminated: { exitCode: 1, message: "cannot start" } },
      },
    ],
  });
  const broken = "registry.test/openclaw:broken";
  const isRolledBack = (i: OpenClawInstance) => isReady(i) && i.status?.failure?.reason === "RolledBack";

  it("gives way to the one before, once, whoever leads, until another is asked for", async () => {
    const before = await createReady("alice");
    const config = await configOf("alice");
    podFate = (pod) => (pod.spec?.containers[0]?.image === broken ? crashes() : undefined);
    const spec = { image: broken, gateway: { config: { agents: { defaults: { timeoutSeconds: 601 } } } } };
    await client.mergePatch(INSTANCES, ref("alice"), { spec });
    const back = await untilInstance(client, ref("alice"), isRolledBack);
    expect(back.status?.runtime?.image).toBe(before.status?.runtime?.image);
    expect(back.status?.restarts).toBe(2);
    expect(back.status?.failure?.message).toContain("cannot start");
    expect(await configOf("alice")).toBe(config);

    await operator.stop();
    operator = await startOperator(inject("kubeconfig"), namespace);
    await waitFor("the queue to be empty", () => operator.controllers.every(({ queue }) => queue.size === 0));
    const pod = await client.get(PODS, ref("openclaw-alice"));
    expect(pod?.metadata.uid).toBe(podUID(back));

    podFate = () => undefined;
    await client.mergePatch(INSTANCES, ref("alice"), { spec: { restartedAt: "2026-11-23T10:00:00Z" } });
    await untilInstance(client, ref("alice"), (i) => isReady(i) && i.status?.runtime?.image === broken);
    expect(await configOf("alice")).toContain("601");
    await waitFor("the trial to be over", async () => {
      const map = await client.get(CONFIG_MAPS, ref("openclaw-alice"));
      return map?.data?.["previous.json"] === undefined;
    });
  });
});
