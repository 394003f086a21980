import { describe, expect, it } from "vitest";
import type { ClassSpec, InstanceSpecInput, InstanceStatus } from "#crds/index.ts";
import { keysReady } from "#lib/keys.ts";
import { changes, plan, running } from "./plan.fixture.ts";
import { deriveStatus, isUrgent } from "./status.ts";
import { aClass, anInstance, NOW, readyPod, withStatus } from "./view.fixture.ts";
import type { View } from "./view.ts";

// The tables below are made of views before any test begins.
await keysReady();

const MORE = { requests: { cpu: "1", memory: "2Gi" }, limits: { cpu: "2", memory: "3Gi" } };
const since = "2026-11-23T10:00:00Z";
const until = "2026-11-23T10:01:00Z";

/** A running instance whose pod is to go, before or (with `status`) after the status tells of the drain. */
function leaving(o: { spec?: Partial<InstanceSpecInput>; plan?: Partial<ClassSpec>; view?: Partial<View> } = {}): View {
  const spec = o.spec ?? { restartedAt: since };
  return {
    ...running(),
    hasTurn: true,
    class: aClass({ drainSeconds: 60, ...o.plan }),
    instance: anInstance(spec),
    ...o.view,
  };
}

function begun(view: View, status: InstanceStatus = {}): View {
  const drain = { podUID: view.pod?.metadata.uid ?? "", since, until };
  return { ...view, instance: anInstance(view.instance.spec, { ...status, drain }) };
}

const notReady = (view: View): View => {
  const ready = { type: "Ready", status: "False", lastTransitionTime: "2026-11-23T10:00:05Z" };
  return { ...view, pod: withStatus(view.pod, { ...readyPod(), conditions: [ready] }) };
};

describe("a pod that serves and is to go", () => {
  it.each<[string, Partial<InstanceSpecInput>, Partial<ClassSpec>]>([
    ["for more memory", {}, { resources: MORE }],
    ["to be restarted", { restartedAt: since }, {}],
    ["to be stopped", { runPolicy: "Stopped" }, {}],
  ])("%s is told of first, then asked to finish, and deleted when it is idle", (_, spec, ofClass) => {
    const view = leaving({ spec, plan: ofClass });
    const first = plan(view);
    expect([changes(first), first.errand]).toEqual([[], undefined]);
    expect(first.drain).toEqual({ podUID: view.pod?.metadata.uid, since, until });
    expect(first.judgement.PodReady).toMatchObject({ status: "False", reason: "Draining" });
    expect(first.judgement.PodReady.message).toContain(until);

    const second = plan(begun(view), NOW + 1_000);
    expect([changes(second), second.wakeAt]).toEqual([[], NOW + 60_000]);
    expect(second.errand).toMatchObject({ kind: "drain", target: { url: "http://10.0.0.7:18789" } });
    expect(changes(plan({ ...begun(view), drain: "Busy" }, NOW + 59_999))).toEqual([]);
    for (const drain of ["Idle", "Deaf"] as const) {
      const over = plan({ ...begun(view), drain }, NOW + 1_000);
      expect([changes(over), over.errand]).toEqual([["delete Pod"], undefined]);
      expect(over.judgement.PodReady.reason).toBe("PodTerminating");
    }
  });

  it("is deleted when its time is over, however busy", () => {
    expect(changes(plan({ ...begun(leaving()), drain: "Busy" }, NOW + 60_000))).toEqual(["delete Pod"]);
  });

  it("goes on finishing while the drain itself makes it unready, also by another operator", () => {
    const view = notReady(begun(leaving()));
    const next = plan({ ...view, gateway: undefined }, NOW + 10_000);
    expect([changes(next), next.errand?.kind]).toEqual([[], "drain"]);
  });

  it("has the time that its class gives it now", () => {
    const view = { ...begun(leaving({ plan: { drainSeconds: 300 } })), drain: "Busy" } as const;
    expect(changes(plan(view, NOW + 299_000))).toEqual([]);
    expect(changes(plan(view, NOW + 300_000))).toEqual(["delete Pod"]);
    expect(changes(plan({ ...view, class: aClass({ drainSeconds: 0 }) }))).toEqual(["delete Pod"]);
  });

  it("takes work again when it is to stay after all", () => {
    const view = begun(leaving({ spec: {} }));
    const next = plan(view, NOW + 1_000);
    expect([changes(next), next.drain, next.errand?.kind]).toEqual([[], undefined, "resume"]);
    expect(next.judgement.PodReady.status).toBe("True");
    const told = deriveStatus(view.instance, { ...next, pod: view.pod }, NOW + 1_000);
    expect(told.drain).toBeUndefined();
    expect(plan({ ...view, instance: anInstance({}, told) }, NOW + 2_000).errand).toBeUndefined();
  });
});

describe("a pod that goes at once", () => {
  it.each<[string, View]>([
    ["is of a class that gives no time", leaving({ plan: { drainSeconds: 0 } })],
    ["is not ready", notReady(leaving())],
    ["does not answer", leaving({ view: { gateway: { reachable: false, reason: "GatewaySilent", message: "no" } } })],
    ["has not been heard of yet", leaving({ view: { gateway: undefined } })],
  ])("%s", (_, view) => {
    expect(changes(plan(view))).toEqual(["delete Pod"]);
  });

  it("ended its container while it was drained", () => {
    const view = begun(leaving());
    const crashed = withStatus(view.pod, { ...readyPod(), conditions: [], containerStatuses: [] });
    expect(changes(plan({ ...view, pod: crashed }))).toEqual(["delete Pod"]);
  });

  it("is not the one whose drain the status tells of", () => {
    const view = leaving({ view: { gateway: undefined } });
    const drain = { podUID: "an earlier one", since, until };
    expect(changes(plan({ ...view, instance: anInstance(view.instance.spec, { drain }) }))).toEqual(["delete Pod"]);
  });
});

describe("the status of a drain", () => {
  it("is over as soon as the pod is to stay, also one that is not ready yet again", () => {
    const drained = notReady(begun(leaving()));
    const before = deriveStatus(drained.instance, { ...plan(drained), pod: drained.pod }, NOW);
    const kept = { ...drained, instance: anInstance({}, before) };
    const after = deriveStatus(kept.instance, { ...plan(kept), pod: kept.pod }, NOW);
    expect([before.phase, after.phase, isUrgent(before, after)]).toEqual(["Provisioning", "Provisioning", true]);
  });

  const served = (view: View) => deriveStatus(anInstance(), { ...plan(view), pod: view.pod }, NOW);

  it("is written at once when it begins, and not again until the next pod is ready", () => {
    const view = leaving();
    const before = served(running());
    const instance = anInstance(view.instance.spec, before);
    const first = plan({ ...view, instance });
    const told = deriveStatus(instance, { ...first, pod: view.pod }, NOW);
    expect(isUrgent(before, told)).toBe(true);
    expect(told).toMatchObject({ phase: "Provisioning", drain: { since, until } });

    const draining = { ...view, instance: anInstance(view.instance.spec, told) };
    for (const { view: next, pod } of [
      { view: { ...draining, drain: "Busy" as const }, pod: view.pod },
      { view: { ...draining, drain: "Idle" as const }, pod: view.pod },
    ]) {
      const status = deriveStatus(next.instance, { ...plan(next, NOW + 1_000), pod }, NOW + 1_000);
      expect(isUrgent(told, status)).toBe(false);
      expect(status.drain).toEqual(told.drain);
    }
    const replacement = { ...running().pod, metadata: { ...running().pod?.metadata, uid: "next" } } as View["pod"];
    const next = plan({ ...draining, pod: replacement, gateway: undefined }, NOW + 2_000);
    const late = deriveStatus(draining.instance, { ...next, pod: replacement }, NOW + 2_000);
    expect(late.drain).toBeUndefined();
  });
});
