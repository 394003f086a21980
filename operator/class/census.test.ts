import { describe, expect, it } from "vitest";
import type { OpenClawInstance } from "#crds/index.ts";
import type { Change } from "#lib/kube/informer.ts";
import { anInstance } from "../instance/view.fixture.ts";
import { takeCensus } from "./census.ts";

function claw(parts: { className?: string; ready?: boolean; reason?: string; deleted?: boolean } = {}) {
  const { className = "standard", ready = false, reason } = parts;
  const at = "2026-11-23T10:00:00Z";
  const condition = { type: "Ready", status: ready ? ("True" as const) : ("False" as const), reason: "Pending" };
  const instance = anInstance(
    { className },
    {
      conditions: [{ ...condition, message: "", lastTransitionTime: at }],
      ...(reason ? { failure: { step: "pod", reason, message: "", since: at } } : {}),
    },
  );
  return parts.deleted ? { ...instance, metadata: { ...instance.metadata, deletionTimestamp: at } } : instance;
}

function census() {
  const told: string[] = [];
  let notify: (change: Change<OpenClawInstance>) => void = () => undefined;
  const instances = {
    onChange(handler: typeof notify) {
      notify = handler;
      return () => undefined;
    },
  };
  const taken = takeCensus({ instances: instances as never }, (className) => told.push(className));
  return {
    ...taken,
    told,
    added: (object: OpenClawInstance) => notify({ key: "k", type: "added", object }),
    updated: (previous: OpenClawInstance, object: OpenClawInstance) =>
      notify({ key: "k", type: "updated", object, previous }),
    deleted: (object: OpenClawInstance) => notify({ key: "k", type: "deleted", object, previous: object }),
  };
}

describe("the census", () => {
  it("counts who comes, becomes ready and goes", () => {
    const c = census();
    c.added(claw());
    c.added(claw({ ready: true }));
    expect(c.count("standard")).toEqual({ instances: 2, ready: 1 });
    c.updated(claw(), claw({ ready: true }));
    expect(c.count("standard")).toEqual({ instances: 2, ready: 2 });
    c.deleted(claw({ ready: true }));
    c.updated(claw({ ready: true }), claw({ ready: true, deleted: true }));
    expect(c.count("standard")).toEqual({ instances: 0, ready: 0 });
    c.deleted(claw({ ready: true, deleted: true }));
    expect(c.count("standard")).toEqual({ instances: 0, ready: 0 });
  });

  it("takes one that changes its class from the one to the other, and tells both", () => {
    const c = census();
    c.added(claw({ ready: true }));
    c.told.length = 0;
    c.updated(claw({ ready: true }), claw({ className: "large", ready: true }));
    expect([c.count("standard"), c.count("large")]).toEqual([
      { instances: 0, ready: 0 },
      { instances: 1, ready: 1 },
    ]);
    expect(c.told).toEqual(["standard", "large"]);
  });

  it("tells of a fault that begins or ends, and of nothing that a class's status does not say", () => {
    const c = census();
    c.added(claw());
    c.told.length = 0;
    c.updated(claw(), claw());
    expect(c.told).toEqual([]);
    c.updated(claw(), claw({ reason: "CrashLoop" }));
    expect(c.told).not.toEqual([]);
  });
});
