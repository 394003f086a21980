import { describe, expect, it } from "vitest";
import type { Change, Informer } from "#lib/kube/informer.ts";
import type { Node, Pod } from "#lib/kube/resource.ts";
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

  it("counts as lost after its grace, by a person's word soon, and never while the pod is ready", () => {
    const nodes = new Map([["n1", trimNode(node("Unknown"))]]);
    const watch = watchNodes({ nodes: cache(nodes).informer as never, pods: cache(new Map()).informer as never });
    expect(watch.stateOf(silent, 60_000, NOW)).toEqual({
      name: "n1",
      kind: "Silent",
      since: NOW,
      lostAt: NOW + 60_000,
    });
    expect(watch.stateOf(pod("True"), 60_000, NOW + 999_999)).toBeUndefined();
    nodes.set("n1", trimNode(node("Unknown", { taints: [TAINT] })));
    expect(watch.stateOf(silent, 60_000, NOW)).toMatchObject({ kind: "OutOfService", lostAt: NOW + 3_000 });
    expect(watch.stateOf(silent, 60_000, NOW + 2_000)).toMatchObject({ since: NOW, lostAt: NOW + 3_000 });
    nodes.set("n1", trimNode(node("True")));
    expect(watch.stateOf(silent, 60_000, NOW)).toBeUndefined();
  });

  it("is gone only after it was missing for as long, and is forgotten with its last pod", () => {
    const nodes = cache(new Map<string, Node>());
    const pods = cache(new Map<string, Pod>());
    const watch = watchNodes({ nodes: nodes.informer as never, pods: pods.informer as never });
    expect(watch.stateOf(silent, 60_000, NOW)).toMatchObject({ kind: "Gone", lostAt: NOW + 60_000 });
    expect(watch.stateOf(silent, 60_000, NOW + 5_000)).toMatchObject({ lostAt: NOW + 60_000 });
    nodes.emit({ key: "n1", type: "added", object: node("True") });
    expect(watch.stateOf(silent, 60_000, NOW + 9_000)).toMatchObject({ lostAt: NOW + 69_000 });
    pods.emit({ key: "p", type: "deleted", object: silent as never });
    expect(watch.stateOf(silent, 60_000, NOW + 10_000)).toMatchObject({ lostAt: NOW + 70_000 });
  });

  it("is judged by the pod where nodes may not be read: unready over the head of its kubelet", () => {
    const watch = watchNodes({ pods: cache(new Map()).informer as never });
    expect(watch.stateOf(silent, 60_000, NOW)).toMatchObject({ kind: "Silent", lostAt: NOW + 60_000 });
    expect(watch.stateOf(pod("False", false), 60_000, NOW)).toBeUndefined();
  });
});
