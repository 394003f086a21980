import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { CLASSES, INSTANCES, type OpenClawInstance } from "#crds/index.ts";
import { timestamp } from "#lib/clock.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { EVENTS, NODES, PODS } from "#lib/kube/resource.ts";
import { waitFor } from "#test/cluster/wait.ts";
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

const kubeconfig = inject("kubeconfig");
const TAINT = { key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" };
let client: KubeClient;
let namespace: string;
let first: Awaited<ReturnType<typeof startNode>>;
let second: Awaited<ReturnType<typeof startNode>> | undefined;
let operator: RunningOperator;

beforeEach(async () => {
  client = adminClient(kubeconfig);
  namespace = await createSandbox(client);
  await client.create(CLASSES, classNamed(namespace, { nodeLostSeconds: 1 }));
  first = await startNode(client, namespace, undefined, `${namespace}-1`);
  second = undefined;
});

afterEach(async () => {
  await operator.stop();
  await first.stop();
  await second?.stop();
  await client.delete(CLASSES, { name: namespace });
  for (const n of [1, 2]) await client.delete(NODES, { name: `${namespace}-${n}` });
  await client.close();
});

const alice = () => ({ namespace, name: "alice" });
const pod = () => client.get(PODS, { namespace, name: "openclaw-alice" });

async function createReady(): Promise<OpenClawInstance> {
  await client.create(INSTANCES, instanceNamed(namespace, "alice", { className: namespace }));
  return untilInstance(client, alice(), isReady);
}

/** As the control plane writes it when a node stops answering; the pod's own containers stay as the kubelet last said. */
async function loseNode(): Promise<void> {
  await first.stop();
  const condition = (status: string) => ({ type: "Ready", status, lastTransitionTime: timestamp(Date.now()) });
  const node = { status: { conditions: [{ ...condition("Unknown"), lastHeartbeatTime: null }] } };
  await client.mergePatch(NODES, { name: `${namespace}-1` }, node, { subresource: "status" });
  const lost = { status: { conditions: [condition("False")] } };
  await client.mergePatch(PODS, { namespace, name: "openclaw-alice" }, lost, { subresource: "status" });
  second = await startNode(client, namespace, undefined, `${namespace}-2`);
}

function untilLost(): Promise<OpenClawInstance> {
  return untilInstance(client, alice(), ({ status }) => status?.failure?.reason === "NodeLost");
}

async function expectMoved(before: OpenClawInstance): Promise<void> {
  const after = await untilInstance(client, alice(), (i) => isReady(i) && i.status?.runtime?.node === `${namespace}-2`);
  expect(after.status?.runtime?.podUID).not.toBe(before.status?.runtime?.podUID);
  expect(after.status?.runtime?.slot).toBe(before.status?.runtime?.slot);
  expect(after.status).toMatchObject({ restarts: 1 });
  expect(after.status?.failure).toBeUndefined();
}

describe("a node that does not answer", () => {
  it("keeps its pod and the volume until a person says that it is off, and then loses both", async () => {
    operator = await startOperator(kubeconfig, namespace);
    const before = await createReady();
    await loseNode();
    const lost = await untilLost();
    expect(lost.status).toMatchObject({ phase: "Failed", failure: { step: "pod" } });
    expect(lost.status?.failure?.message).toContain(`kubectl taint node ${namespace}-1 ${TAINT.key}=`);
    await waitFor("an Event", async () => {
      const { items } = await client.list(EVENTS, { namespace });
      return items.some(({ reason, regarding }) => reason === "NodeLost" && regarding?.name === "alice");
    });
    expect((await pod())?.metadata).toMatchObject({ uid: before.status?.runtime?.podUID });
    expect((await pod())?.metadata.deletionTimestamp).toBeUndefined();
    await client.mergePatch(NODES, { name: `${namespace}-1` }, { spec: { taints: [TAINT] } });
    await expectMoved(before);
  });

  it("loses a pod that was to end already, too", async () => {
    operator = await startOperator(kubeconfig, namespace);
    const before = await createReady();
    await loseNode();
    await client.delete(PODS, { namespace, name: "openclaw-alice" });
    await untilLost();
    expect((await pod())?.metadata.uid).toBe(before.status?.runtime?.podUID);
    await client.mergePatch(NODES, { name: `${namespace}-1` }, { spec: { taints: [TAINT] } });
    await expectMoved(before);
  });

  it("loses its pod once its object is gone", async () => {
    operator = await startOperator(kubeconfig, namespace);
    const before = await createReady();
    await loseNode();
    await client.delete(NODES, { name: `${namespace}-1` });
    await expectMoved(before);
  });

  it("is told of by the pod alone where nodes may not be read, and nothing is forced", async () => {
    operator = await startOperator(kubeconfig, namespace, { nodes: false });
    const before = await createReady();
    await loseNode();
    const { status } = await untilLost();
    expect(status?.failure?.message).toContain("does not answer since");
    expect((await pod())?.metadata.uid).toBe(before.status?.runtime?.podUID);
    expect(operator.informers.map(({ type }) => type.kind)).not.toContain("Node");
  });
});
