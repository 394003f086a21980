import { beforeEach, describe, expect, it } from "vitest";
import type { OpenClawInstance } from "#crds/index.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { objectKey } from "#lib/kube/types.ts";
import { aClass, anInstance, NOW } from "../instance/view.fixture.ts";
import { createRolloutGate, type RolloutGate } from "./rollout-gate.ts";

const woken: string[] = [];
const told: string[] = [];
let instances: OpenClawInstance[];
let pods: Map<string, Pod>;
let gate: RolloutGate;

function claw(name: string, status?: OpenClawInstance["status"], className = "standard"): OpenClawInstance {
  const instance = anInstance({ className }, status);
  return { ...instance, metadata: { ...instance.metadata, name, uid: `${name}-uid` } };
}

function plan(maxUnavailable: number, generation = 1) {
  const made = aClass({ rollout: { maxUnavailable } });
  return { ...made, metadata: { ...made.metadata, generation } };
}

function podOf(instance: OpenClawInstance, metadata: Partial<Pod["metadata"]>): void {
  const owner = { apiVersion: instance.apiVersion, kind: instance.kind, name: instance.metadata.name };
  pods.set(`tenants/openclaw-${instance.metadata.name}`, {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: `openclaw-${instance.metadata.name}`,
      creationTimestamp: new Date(NOW).toISOString(),
      ownerReferences: [{ ...owner, uid: instance.metadata.uid ?? "", controller: true }],
      ...metadata,
    },
  });
}

function openGate(): RolloutGate {
  const caches = {
    instances: { byIndex: (_: string, name: string) => instances.filter(({ spec }) => spec.className === name) },
    pods: { get: (key: string) => pods.get(key) },
  };
  return createRolloutGate({
    caches: caches as never,
    wake: (key) => woken.push(key),
    onProgress: (className) => told.push(className),
  });
}

const [a, b, c, d] = ["a", "b", "c", "d"].map((name) => claw(name)) as [
  OpenClawInstance,
  OpenClawInstance,
  OpenClawInstance,
  OpenClawInstance,
];

beforeEach(() => {
  woken.length = 0;
  told.length = 0;
  instances = [];
  pods = new Map();
  gate = openGate();
});

/** Asks as a reconcile does: who gets no turn is told to wait. */
function ask(instance: OpenClawInstance, of = plan(2)): boolean {
  const taken = gate.take(instance, of);
  gate.settle(instance, of, taken ? "underWay" : "waits");
  return taken;
}

describe("turns", () => {
  it("are as many as may be unavailable, and one that has its turn keeps it", () => {
    expect([a, b, c, a].map((instance) => ask(instance))).toEqual([true, true, false, true]);
    expect([a, b, c].map((instance) => gate.hasTurn(instance))).toEqual([true, true, false]);
    expect(gate.progress(plan(2))).toEqual({ turns: ["tenants/a", "tenants/b"], waiting: 1, refused: 0, planned: 3 });
  });

  it("given back wake who waited longest, and nobody else", () => {
    for (const instance of [a, b, c, d]) ask(instance);
    expect(woken).toEqual([]);
    gate.settle(a, plan(2), "current");
    expect(woken).toEqual(["tenants/c"]);
    expect(ask(c)).toBe(true);
    expect(ask(d)).toBe(false);
  });

  it("pass on when who was woken needs none any more, or is gone", () => {
    for (const instance of [a, b, c, d]) ask(instance);
    gate.settle(a, plan(2), "current");
    gate.forget("tenants/c");
    expect(woken).toEqual(["tenants/c", "tenants/d"]);
    gate.settle(d, plan(2), "current");
    expect(gate.progress(plan(2)).waiting).toBe(0);
  });

  it("are free again when their instance is deleted, or leaves the class", () => {
    for (const instance of [a, b, c, d]) ask(instance);
    gate.forget("tenants/a");
    gate.hasTurn(claw("b", undefined, "other"));
    expect(gate.progress(plan(2)).turns).toEqual([]);
    expect(new Set(woken)).toEqual(new Set(["tenants/c", "tenants/d"]));
  });

  it("are given back by one that serves and cannot follow the class any further", () => {
    for (const instance of [a, b, c]) ask(instance);
    gate.settle(a, plan(2), "refused");
    expect(woken).toEqual(["tenants/c"]);
    expect(gate.progress(plan(2))).toMatchObject({ turns: ["tenants/b"], refused: 1 });
  });

  it("become more when the class allows more", () => {
    expect([a, b, c].map((instance) => ask(instance, plan(1)))).toEqual([true, false, false]);
    gate.settle(d, plan(3, 2), "current");
    expect(woken).toEqual(["tenants/b", "tenants/c"]);
  });

  it("are each class's own", () => {
    ask(a, plan(1));
    const other = { ...plan(1), metadata: { ...plan(1).metadata, name: "other" } };
    expect(gate.take(claw("z", undefined, "other"), other)).toBe(true);
  });
});

describe("what was looked at", () => {
  it("counts anew with each generation of the class, and is told of when it changes", () => {
    gate.settle(a, plan(1, 1), "current");
    gate.settle(b, plan(1, 1), "current");
    expect(gate.progress(plan(1, 1)).planned).toBe(2);
    expect(gate.progress(plan(1, 2)).planned).toBe(0);
    gate.settle(a, plan(1, 2), "current");
    expect(gate.progress(plan(1, 2)).planned).toBe(1);
    const before = told.length;
    gate.settle(a, plan(1, 2), "current");
    expect(told.length).toBe(before);
  });
});

describe("a gate that is opened while a rollout is under way", () => {
  const ran = { lastReadyTime: new Date(NOW - 60_000).toISOString(), runtime: { podUID: "before" } as never };
  const rollout = { "hatchery.openagents.com/rollout": "true" };
  const deletionTimestamp = new Date(NOW).toISOString();
  const later = new Date(NOW + 5_000).toISOString();
  const judged = { type: "ConfigValid", status: "False" as const, message: "", lastTransitionTime: deletionTimestamp };
  const rolledBack = { ...judged, reason: "RolledBack" };
  const drain = { podUID: "before", since: deletionTimestamp, until: deletionTimestamp };

  it.each<[string, OpenClawInstance, Partial<Pod["metadata"]> | undefined, boolean]>([
    ["whose pod is gone", claw("a", ran), undefined, true],
    ["whose pod is ending", claw("a", ran), { deletionTimestamp }, true],
    ["whose pod a rollout made and that is not ready yet", claw("a", ran), { annotations: rollout }, true],
    ["whose work is being finished", claw("a", { ...ran, drain }), {}, true],
    ["that never had a pod", claw("a"), undefined, false],
    ["whose pod was not made by a rollout", claw("a", ran), {}, false],
    [
      "whose pod a rollout made and that was ready",
      claw("a", { ...ran, lastReadyTime: later }),
      { annotations: rollout },
      false,
    ],
    [
      "whose pod a rollout made in the very second in which the one before was ready",
      claw("a", { ...ran, lastReadyTime: new Date(NOW).toISOString() }),
      { annotations: rollout },
      true,
    ],
    [
      "that went back from what a rollout brought",
      claw("a", { ...ran, lastReadyTime: later, conditions: [rolledBack] }),
      { annotations: rollout },
      true,
    ],
    [
      "that went back from what its own spec brought",
      claw("a", { ...ran, lastReadyTime: later, conditions: [rolledBack] }),
      {},
      false,
    ],
    ["that is stopped", { ...claw("a", ran), spec: { ...a.spec, runPolicy: "Stopped" } }, undefined, false],
  ])("counts one %s: %#", (_, instance, metadata, taken) => {
    instances = [instance];
    if (metadata) podOf(instance, metadata);
    expect(gate.hasTurn(instance)).toBe(taken);
    expect(gate.take(b, plan(1))).toBe(!taken);
  });
});

it("keeps nothing of classes that nobody is of any more", () => {
  gate.hasTurn(claw("a", undefined, "one-that-never-was"));
  let scans = 0;
  const instance = claw("a", undefined, "one-that-never-was");
  instances = new Proxy([instance], {
    get: (target, property) => {
      scans++;
      return Reflect.get(target, property) as unknown;
    },
  });
  gate.hasTurn(instance);
  expect(scans).toBe(0);
  gate.forget(objectKey(instance));
  gate.hasTurn(instance);
  expect(scans).toBeGreaterThan(0);
});
