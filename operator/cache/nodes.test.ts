import { beforeEach, describe, expect, it } from "vitest";
import type { Change, Informer } from "#lib/kube/informer.ts";
import type { Node, Pod } from "#lib/kube/resource.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { NOW, readyPod } from "../instance/view.fixture.ts";
import { ailmentOf, watchNodes } from "./nodes.ts";
import { trimNode } from "./trim.ts";

const at = new Date(NOW).toISOString();
const TAINT = { key: "node.kubernetes.io/out-of-service", value: "nodeshutdown", effect: "NoExecute" };

function node(status: string, parts: { heartbeat?: string; taints?: object[] } = {}): Node {
  const ready = {
    type: "Ready",
    status,
    lastTransitionTime: at,
    lastHeartbeatTime: parts.heartbeat ?? at,
    reason: "r",
    message: "m",
  };
  const { taints = [] } = parts;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "n1", uid: "u", resourceVersion: "1", labels: { many: "labels" } },
    spec: { taints: taints as never, podCIDR: "10.0.0.0/24" },
    status: { conditions: [ready, { ...ready, type: "MemoryPressure" }], images: [{ names: ["i"], sizeBytes: 1 }] },
  };
}

function pod(ready: string, containerReady = true): Pod {
  const { containerStatuses, ...status } = readyPod();
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p" },
    spec: { nodeName: "n1", containers: [] },
    status: {
      ...status,
      conditions: [{ type: "Ready", status: ready, lastTransitionTime: at }],
      containerStatuses: (containerStatuses ?? []).map((one) => ({ ...one, ready: containerReady })),
    },
  };
}

/** A cache of what the test puts in. */
function cache<T>(objects: Map<string, T>, ofNode: T[] = []) {
  const handlers: ((change: Change) => void)[] = [];
  const informer = {
    get: (key: string) => objects.get(key),
    byIndex: () => ofNode,
    onChange: (handler: (change: Change) => void) => handlers.push(handler),
  } as unknown as Informer;
  return {
    informer,
    emit: (change: Change) =>
      handlers.forEach((handle) => {
        handle(change);
      }),
  };
}

describe("what is kept of a node", () => {
  it("does not change with its heartbeats", () => {
    const trimmed = trimNode(node("True"));
    expect(trimNode(node("True", { heartbeat: "2026-11-23T11:00:00Z" }))).toEqual(trimmed);
    expect(JSON.stringify(trimmed)).not.toMatch(/images|many|MemoryPressure|podCIDR/);
    expect(ailmentOf(trimmed)).toBeUndefined();
  });

  it.each([
    ["Unknown", [], "Silent"],
    ["False", [], "Silent"],
    ["Unknown", [TAINT], "OutOfService"],
    ["True", [TAINT], undefined],
  ])("tells what ails it: ready %s, taints %j", (ready, taints, kind) => {
    expect(ailmentOf(trimNode(node(ready, { taints })))?.kind).toBe(kind);
  });
});

describe("the node of a pod", () => {
  const silent = pod("False");
  let clock: ManualClock;
  beforeEach(() => {
    clock = new ManualClock(NOW);
  });

  it("counts as lost after its grace, by a person's word soon, and never while the pod is ready", async () => {
    const nodes = new Map([["n1", trimNode(node("Unknown"))]]);
    const caches = { nodes: cache(nodes).informer as never, pods: cache(new Map()).informer as never };
    const watch = watchNodes(caches, clock);
    expect(watch.stateOf(silent, 60_000)).toEqual({ name: "n1", kind: "Silent", since: NOW, lostAt: NOW + 60_000 });
    expect(watch.stateOf(pod("True"), 60_000)).toBeUndefined();
    nodes.set("n1", trimNode(node("Unknown", { taints: [TAINT] })));
    expect(watch.stateOf(silent, 60_000)).toMatchObject({ kind: "OutOfService", lostAt: NOW + 3_000 });
    await clock.advance(2_000);
    expect(watch.stateOf(silent, 60_000)).toMatchObject({ since: NOW, lostAt: NOW + 3_000 });
    nodes.set("n1", trimNode(node("True")));
    expect(watch.stateOf(silent, 60_000)).toBeUndefined();
  });

  it("is gone only after it was missing for as long, and is forgotten with its last pod", async () => {
    const nodes = cache(new Map<string, Node>());
    const pods = cache(new Map<string, Pod>());
    const watch = watchNodes({ nodes: nodes.informer as never, pods: pods.informer as never }, clock);
    expect(watch.stateOf(silent, 60_000)).toMatchObject({ kind: "Gone", lostAt: NOW + 60_000 });
    await clock.advance(5_000);
    expect(watch.stateOf(silent, 60_000)).toMatchObject({ lostAt: NOW + 60_000 });
    await clock.advance(4_000);
    nodes.emit({ key: "n1", type: "added", object: node("True") });
    expect(watch.stateOf(silent, 60_000)).toMatchObject({ lostAt: NOW + 69_000 });
    await clock.advance(1_000);
    pods.emit({ key: "p", type: "deleted", object: silent as never });
    expect(watch.stateOf(silent, 60_000)).toMatchObject({ lostAt: NOW + 70_000 });
  });

  it.each([
    ["forward", 3_600_000],
    ["back", -3_600_000],
  ])("is gone no sooner and no later for a clock that is set %s", async (_, ms) => {
    const caches = { nodes: cache(new Map()).informer as never, pods: cache(new Map()).informer as never };
    const watch = watchNodes(caches, clock);
    watch.stateOf(silent, 60_000);
    await clock.advance(20_000);
    clock.jump(ms);
    // When it was noticed is told as it was written down, or each look would change the words.
    expect(watch.stateOf(silent, 60_000)).toMatchObject({ since: NOW, lostAt: clock.now() + 40_000 });
  });

  it("is judged by the pod where nodes may not be read: unready over the head of its kubelet", () => {
    const watch = watchNodes({ pods: cache(new Map()).informer as never }, clock);
    expect(watch.stateOf(silent, 60_000)).toMatchObject({ kind: "Silent", lostAt: NOW + 60_000 });
    expect(watch.stateOf(pod("False", false), 60_000)).toBeUndefined();
  });
});
