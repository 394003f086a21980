import { beforeAll, describe, expect, it } from "vitest";
import { keysReady } from "#lib/keys.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import type { KubeObject } from "#lib/kube/types.ts";
import { isNodeGone } from "./node-check.ts";
import type { NodeState } from "./node-state.ts";
import { planInstance } from "./plan.ts";
import { anInstance, aView, carriedOut, NOW, readyPod, SLOT, settings, withStatus } from "./view.fixture.ts";
import type { View } from "./view.ts";

beforeAll(keysReady);

const state = (kind: NodeState["kind"]): NodeState => ({ name: "node-1", kind, since: NOW, lostAt: NOW + 60_000 });

/** A view of a pod on a node that does not answer. */
function lost(kind: NodeState["kind"], parts: Partial<View> = {}): View {
  const made = carriedOut(aView(parts), planInstance(aView(parts), settings(), NOW, SLOT).writes);
  const { conditions, ...status } = readyPod();
  const unready = (conditions ?? []).map((one) => ({ ...one, status: "False" }));
  return { ...made, pod: withStatus(made.pod, { ...status, conditions: unready }), node: state(kind), ...parts };
}

/** What becomes of the pod. */
function podWrites(view: View, now: number): string[] {
  return planInstance(view, settings(), now, SLOT).writes.flatMap((write) =>
    write.type.kind === "Pod" ? [`${"force" in write && write.force ? "force-" : ""}${write.verb}`] : [],
  );
}

describe("the pod of a node that does not answer", () => {
  it("stays for as long as it may still run", () => {
    for (const now of [NOW, NOW + 60_000, NOW + 86_400_000]) expect(podWrites(lost("Silent"), now)).toEqual([]);
    const plan = planInstance(lost("Silent"), settings(), NOW, SLOT);
    expect(plan.wakeAt).toBe(NOW + 60_000);
  });

  it("is no more said to be lost once that is back, though not ready yet; of a pod in its place it is said until then", () => {
    const failure = { step: "pod", reason: "NodeLost", message: "silent", since: "2026-11-23T10:01:00Z" } as const;
    const told = lost("Silent", { instance: anInstance({}, { failure }) });
    const verdictOf = (view: View) => planInstance(view, settings(), NOW + 90_000, SLOT).judgement.PodReady;
    expect(verdictOf(told)).toMatchObject({ failedStep: "pod", reason: "NodeLost" });
    expect(verdictOf({ ...told, node: undefined })).not.toMatchObject({ reason: "NodeLost" });
    const metadata = { ...told.pod?.metadata, name: "openclaw-alice", creationTimestamp: "2026-11-23T10:00:59Z" };
    const next = told.pod && { ...told.pod, metadata };
    expect(verdictOf({ ...told, pod: next, node: undefined })).toMatchObject({ reason: "NodeLost", message: "silent" });
  });

  it.each(["Gone", "OutOfService"] as const)("is removed by force and made anew once its node is %s", (kind) => {
    expect(podWrites(lost(kind), NOW + 59_999)).toEqual([]);
    expect(podWrites(lost(kind), NOW + 60_000)).toEqual(["force-delete", "create"]);
  });

  it("is removed by force also when it is being deleted, or not wanted any more", () => {
    const ending = lost("Gone");
    const deletionTimestamp = new Date(NOW + 340_000).toISOString();
    const pod = ending.pod && { ...ending.pod, metadata: { ...ending.pod.metadata, deletionTimestamp } };
    expect(podWrites({ ...ending, pod }, NOW + 60_000)).toEqual(["force-delete", "create"]);
    const stopped = { ...ending, pod, instance: anInstance({ runPolicy: "Stopped" }) };
    expect(podWrites(stopped, NOW + 60_000)).toEqual(["force-delete"]);
  });
});

describe("a node is asked for once more before its pod is removed by force, and that", () => {
  const ready = (status: string) => ({
    conditions: [{ type: "Ready", status, lastTransitionTime: "2026-11-23T10:00:00Z" }],
  });
  const taints = [{ key: "node.kubernetes.io/out-of-service", effect: "NoExecute" }];
  it.each<[string, object | undefined, boolean]>([
    ["goes on where it is gone", undefined, true],
    ["goes on where it is out of service", { spec: { taints }, status: ready("Unknown") }, true],
    ["ends where it answers", { status: ready("True") }, false],
    ["ends where it is only silent", { status: ready("Unknown") }, false],
    ["ends where it answers whatever a person says", { spec: { taints }, status: ready("True") }, false],
  ])("%s", async (_, node, gone) => {
    const client = { get: async () => node } as unknown as KubeClient;
    const pod = { spec: { nodeName: "node-1" } } as unknown as KubeObject;
    expect(await isNodeGone(client, pod, new AbortController().signal)).toBe(gone);
  });
});
