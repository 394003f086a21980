import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { CLASSES, INSTANCES, type OpenClawInstance } from "#crds/index.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { PODS } from "#lib/kube/resource.ts";
import { waitFor } from "#test/cluster/wait.ts";
import type { FakeGateway } from "#test/harness/fake-gateway.ts";
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
const runtime = () => ({ namespace, name: "openclaw-alice" });
const alice = () => ({ namespace, name: "alice" });

beforeAll(() => {
  client = adminClient(inject("kubeconfig"));
});
afterAll(() => client.close());

beforeEach(async () => {
  namespace = await createSandbox(client);
  await client.create(CLASSES, classNamed(namespace, { drainSeconds: 3600 }));
  node = await startNode(client, namespace);
  operator = await startOperator(inject("kubeconfig"), namespace);
});

afterEach(async () => {
  await operator.stop();
  await node.stop();
  await client.delete(CLASSES, { name: namespace });
});

/** A ready instance whose gateway is at a turn. */
async function busyInstance(): Promise<{ before: OpenClawInstance; gateway: FakeGateway }> {
  await client.create(INSTANCES, instanceNamed(namespace, "alice", { className: namespace }));
  const before = await untilInstance(client, alice(), isReady);
  const gateway = node.gateway(`${namespace}/openclaw-alice`);
  if (!gateway) throw new Error("the pod has no gateway");
  gateway.busy = true;
  return { before, gateway };
}

const patchSpec = (spec: object) => client.mergePatch(INSTANCES, alice(), { spec });
const isDraining = ({ status }: OpenClawInstance) => status?.drain !== undefined;
const suspended = (gateway: FakeGateway) => waitFor("the gateway to be asked to finish", () => gateway.suspended);

describe("a busy pod that is to be replaced", () => {
  it("finishes its work, as the status says, and then is", async () => {
    const { before, gateway } = await busyInstance();
    await patchSpec({ restartedAt: "2026-11-23T10:00:00Z" });
    const { status } = await untilInstance(client, alice(), isDraining);
    expect(status).toMatchObject({ phase: "Provisioning", drain: { podUID: before.status?.runtime?.podUID } });
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    expect(ready).toMatchObject({ status: "False", reason: "Draining" });
    expect(ready?.message).toContain(status?.drain?.until);
    await suspended(gateway);
    expect((await client.get(PODS, runtime()))?.metadata.deletionTimestamp).toBeUndefined();

    gateway.busy = false;
    const after = await untilInstance(client, alice(), isReady);
    expect(after.status?.runtime?.podUID).not.toBe(before.status?.runtime?.podUID);
    expect(after.status?.drain).toBeUndefined();
  });

  it("takes work again when the change is taken back", async () => {
    const { before, gateway } = await busyInstance();
    await patchSpec({ image: "registry.test/openclaw:2026.10.0" });
    await untilInstance(client, alice(), isDraining);
    await suspended(gateway);
    await patchSpec({ image: null });
    await waitFor("the gateway to be told", () => !gateway.suspended);
    const after = await untilInstance(client, alice(), isReady);
    expect(after.status?.runtime?.podUID).toBe(before.status?.runtime?.podUID);
    expect(after.status?.drain).toBeUndefined();
  });

  it("has no more time because the operator starts anew, and is not forgotten by it", async () => {
    const { before, gateway } = await busyInstance();
    await patchSpec({ runPolicy: "Stopped" });
    const first = await untilInstance(client, alice(), isDraining);
    await suspended(gateway);
    await operator.stop();
    operator = await startOperator(inject("kubeconfig"), namespace);
    const calls = gateway.calls;
    await waitFor("the next operator to ask", () => gateway.calls > calls);
    const { items } = await client.list(INSTANCES, { namespace });
    expect(items[0]?.status?.drain).toEqual(first.status?.drain);

    gateway.busy = false;
    const stopped = await untilInstance(client, alice(), ({ status }) => status?.phase === "Stopped");
    expect(stopped.status?.drain).toBeUndefined();
    expect(await client.get(PODS, runtime())).toBeUndefined();
    expect(before.status?.runtime?.podUID).toBeDefined();
  });

  it("goes when its time is over, however busy it is", async () => {
    const { before } = await busyInstance();
    await client.mergePatch(CLASSES, { name: namespace }, { spec: { drainSeconds: 1 } });
    await patchSpec({ restartedAt: "2026-11-23T10:00:00Z" });
    const after = await untilInstance(
      client,
      alice(),
      (i) => isReady(i) && i.status?.runtime?.podUID !== before.status?.runtime?.podUID,
    );
    expect(after.status?.restarts).toBe(1);
  });
});
