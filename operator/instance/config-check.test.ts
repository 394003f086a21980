import { describe, expect, it } from "vitest";
import type { InstanceSpecInput } from "#crds/index.ts";
import { keysReady } from "#lib/keys.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { ConfigChecks } from "./config-checks.ts";
import { changes, plan, running } from "./plan.fixture.ts";
import { deriveStatus } from "./status.ts";
import { aClass, anInstance, carriedOut, NOW, readyPod, withStatus } from "./view.fixture.ts";
import type { View } from "./view.ts";

// The tables below are made from views.
await keysReady();

const CHANGED: Partial<InstanceSpecInput> = { gateway: { config: { agents: { defaults: { timeoutSeconds: 601 } } } } };

/** An instance that serves and whose configuration was changed; nothing is known of the change. */
function changed(spec = CHANGED, parts: Partial<View> = {}): View {
  return { ...running(), instance: anInstance(spec), checks: new ConfigChecks(() => undefined), ...parts };
}

/** ... with the pod of its check, in this state. */
function checking(status: NonNullable<Pod["status"]>, view = changed()): View {
  const { checkPod } = carriedOut(view, plan(view).writes);
  return { ...view, checkPod: withStatus(checkPod, status) };
}

function ended(exitCode: number, message: string, reason = "Error"): NonNullable<Pod["status"]> {
  const terminated = { exitCode, message, reason };
  const container = { name: "openclaw", image: "", imageID: "", ready: false, restartCount: 0, state: { terminated } };
  return { phase: "Failed", containerStatuses: [container] };
}

const PASSED = { phase: "Succeeded" };
/** As OpenClaw 2026.9.6 prints it. */
const REFUSED = ended(
  1,
  [
    "OpenClaw config is invalid: /config/openclaw.json",
    '  × <root>: Unrecognized key: "a"',
    "",
    "Run `openclaw doctor --fix` to repair, or fix the keys above manually.",
    "Inspect with openclaw config validate.",
  ]
    .map((message) => JSON.stringify({ time: "2026-11-25T11:05:57.965+00:00", level: "error", message }))
    .join("\n"),
);
const served = anInstance(CHANGED, { lastReadyTime: new Date(NOW).toISOString() });
/** One that served with this pod, whose probe failed so long ago. */
function lapsed(seconds: number): View {
  const lastTransitionTime = new Date(NOW - seconds * 1000).toISOString();
  const startedAt = new Date(NOW - 3_600_000).toISOString();
  const conditions = [{ type: "Ready", status: "False", lastTransitionTime }];
  const containerStatuses = readyPod().containerStatuses?.map((one) => ({ ...one, state: { running: { startedAt } } }));
  const status = { ...readyPod(), conditions, ...(containerStatuses ? { containerStatuses } : {}) };
  const view = changed();
  return { ...view, instance: served, pod: withStatus(view.pod, status), gateway: undefined };
}
/** One that served with this pod, and whose container has ended often since. */
function crashing(): View {
  const terminated = { exitCode: 1, reason: "Error", message: "boom" };
  const state = { state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: { terminated }, restartCount: 5 };
  const containerStatuses = readyPod().containerStatuses?.map((one) => ({ ...one, ...state, ready: false }));
  const view = changed();
  const status = { phase: "Running", ...(containerStatuses ? { containerStatuses } : {}) };
  return { ...view, instance: served, pod: withStatus(view.pod, status), gateway: undefined };
}
const notReady = (view: View): View => ({ ...view, pod: withStatus(view.pod, { ...readyPod(), conditions: [] }) });

describe("a changed release of an instance that serves", () => {
  it("is checked, while all stays as it is and the instance is ready", () => {
    const view = changed();
    const first = plan(view);
    expect(changes(first)).toEqual(["create Pod"]);
    expect(first.writes.at(-1)).toMatchObject({ body: { metadata: { name: "check-openclaw-alice" } } });
    expect(first.judgement.ConfigValid).toMatchObject({ status: "Unknown", reason: "ConfigChecking" });
    const told = deriveStatus(view.instance, { ...first, pod: view.pod }, NOW);
    expect([told.phase, told.failure]).toEqual(["Ready", undefined]);
    expect(changes(plan(checking({ phase: "Pending" }, view)))).toEqual([]);
  });

  it("takes over when it has passed, and the check is removed last", () => {
    const view = checking(PASSED);
    const next = plan(view);
    expect(changes(next)).toEqual(["edit ConfigMap", "apply ConfigMap", "delete Pod", "delete Pod"]);
    expect(next.writes.at(-1)).toMatchObject({ live: { metadata: { name: "check-openclaw-alice" } } });
    expect(next.check?.verdict).toEqual({ passed: true });
    expect(next.judgement.ConfigValid.status).toBe("True");
  });

  it("that OpenClaw refuses replaces nothing, and is told in its own words", () => {
    const view = checking(REFUSED);
    const next = plan(view);
    expect(changes(next)).toEqual([]);
    expect(next.judgement.ConfigValid).toMatchObject({ status: "False", reason: "ConfigRejected" });
    expect(next.judgement.ConfigValid.message).toContain('× <root>: Unrecognized key: "a" What runs stays as it is.');
    const told = deriveStatus(view.instance, { ...next, pod: view.pod }, NOW);
    expect(told).toMatchObject({ phase: "Ready", failure: { step: "config", reason: "ConfigRejected" } });
    // Nor does it when the pod that served is gone: it comes back with what it had.
    const again = plan({ ...view, pod: undefined });
    expect(changes(again)).toEqual(["create Pod"]);
    expect(again.writes.find(({ verb }) => verb === "create")).toMatchObject({
      body: { spec: { containers: [{ image: aClass().spec.image }] }, metadata: { name: "openclaw-alice" } },
    });
  });

  it("is forgotten when it is taken back, and checked anew when it is corrected", () => {
    const view = checking(REFUSED);
    expect(changes(plan({ ...view, instance: anInstance() }))).toEqual(["delete Pod"]);
    const corrected = anInstance({ gateway: { config: { agents: { defaults: { timeoutSeconds: 602 } } } } });
    expect(changes(plan({ ...view, instance: corrected }))).toEqual(["delete Pod", "create Pod"]);
    const running = { ...view, checkPod: withStatus(view.checkPod, { phase: "Running" }), instance: corrected };
    expect(changes(plan(running))).toEqual(["delete Pod"]);
  });

  it.each<[string, (configMap: View["configMap"]) => View["configMap"]]>([
    ["deleted", () => undefined],
    ["edited", (configMap) => configMap && { ...configMap, data: { "openclaw.json": "of somebody else" } }],
  ])("is checked also where the configuration of before was %s by hand", (_, by) => {
    const view = { ...changed(), configMap: by(changed().configMap) };
    expect(changes(plan(view))).toEqual(["create Pod"]);
    expect(changes(plan(checking(REFUSED, view)))).toEqual([]);
    expect(changes(plan(checking(PASSED, view)))).toContain("delete Pod");
    // What runs already needs none.
    expect(changes(plan({ ...view, instance: anInstance() }))).toHaveLength(1);
    expect(plan({ ...view, instance: anInstance() }).check).toBeUndefined();
  });

  it.each([5, 60])("is checked, and what served is kept, also when that lapses (%i s)", (seconds) => {
    const view = lapsed(seconds);
    expect(changes(plan(view))).toEqual(["create Pod"]);
    const after = carriedOut(view, plan(checking(PASSED, view)).writes);
    expect(after.configMap?.data).toHaveProperty(["previous.json"]);
  });

  it("goes on being finished by a pod that is drained", () => {
    const view = changed();
    const since = "2026-11-23T10:00:00Z";
    const drain = { podUID: view.pod?.metadata.uid ?? "", since, until: "2026-11-23T10:01:00Z" };
    const next = plan(notReady({ ...view, instance: anInstance(CHANGED, { drain }) }));
    expect([changes(next), next.errand?.kind]).toEqual([["create Pod"], "resume"]);
  });
});

describe("a check that cannot be made", () => {
  const waiting = { waiting: { reason: "ImagePullBackOff", message: "not found" } };
  const pull = { name: "openclaw", image: "i", imageID: "", ready: false, restartCount: 0, state: waiting };
  const unschedulable = {
    type: "PodScheduled",
    status: "False",
    reason: "Unschedulable",
    message: "0/1 nodes",
    lastTransitionTime: "2026-11-23T09:00:00Z",
  };

  it.each<[string, NonNullable<Pod["status"]>, string]>([
    ["has no image", { phase: "Pending", containerStatuses: [pull] }, "ImagePullFailed"],
    ["has no node", { phase: "Pending", conditions: [unschedulable] }, "Unschedulable"],
    ["took too long", { phase: "Failed", reason: "DeadlineExceeded", message: "was active" }, "CheckFailed"],
    ["was evicted", { phase: "Failed", reason: "Evicted", message: "low on memory" }, "CheckFailed"],
    ["has too little memory", ended(137, "", "OOMKilled"), "OutOfMemory"],
    ["was killed", ended(137, "", "Error"), "CheckFailed"],
    ["has no OpenClaw in its image", ended(128, "exec: openclaw: not found", "StartError"), "CheckFailed"],
  ])("because it %s replaces nothing and says why", (_, status, reason) => {
    const view = checking(status);
    const next = plan(view);
    expect(changes(next)).toEqual([]);
    expect(next.check?.verdict).toBeUndefined();
    expect(next.judgement.ConfigValid).toMatchObject({ status: "False", reason, failedStep: "config" });
    expect(deriveStatus(view.instance, { ...next, pod: view.pod }, NOW).phase).toBe("Ready");
  });

  it("is tried again a quarter of an hour after it began", () => {
    const view = checking({ phase: "Failed", reason: "DeadlineExceeded" });
    expect(plan(view).wakeAt).toBe(NOW + 900_000);
    expect(changes(plan(view, NOW + 900_000))).toEqual(["delete Pod", "create Pod"]);
  });

  it("because an earlier one ends on a lost node does not wait for that for ever", () => {
    const { checkPod, ...view } = checking({ phase: "Running" });
    const deletionTimestamp = new Date(NOW).toISOString();
    const ending = {
      ...view,
      checkPod: checkPod && { ...checkPod, metadata: { ...checkPod.metadata, deletionTimestamp } },
    };
    expect([changes(plan(ending)), plan(ending).wakeAt]).toEqual([[], NOW + 300_000]);
    const late = plan(ending, NOW + 300_000);
    expect(changes(late)).toEqual(["delete Pod", "create Pod"]);
    expect(late.writes.find(({ verb }) => verb === "delete")).toMatchObject({ force: "harmless" });
  });

  it("because its name is taken leaves that alone", () => {
    const metadata = { name: "check-openclaw-alice", namespace: "tenants", uid: "x" };
    const next = plan(changed(CHANGED, { checkPod: { apiVersion: "v1", kind: "Pod", metadata } }));
    expect(changes(next)).toEqual([]);
    expect(next.blocked).toMatchObject({ reason: "NameTaken", keepsNothing: true });
  });
});

describe("no check is made", () => {
  it.each<[string, View]>([
    [
      "of what only the pod is told",
      { ...changed({}), hasTurn: true, class: aClass({ scheduling: { nodeSelector: { a: "b" } } }) },
    ],
    ["where no pod ever served", notReady(changed())],
    ["where the container ends again and again", crashing()],
    ["of a stopped instance", changed({ ...CHANGED, runPolicy: "Stopped" })],
    [
      "of a configuration that fits no pod's annotations",
      changed({ gateway: { config: { messages: { responsePrefix: "x".repeat(200_000) } } } }),
    ],
  ])("%s", (_, view) => {
    expect(plan(view).check).toBeUndefined();
    expect(changes(plan(view))).toContain("delete Pod");
    expect(changes(plan(view))).not.toContain("create Pod");
  });
});

describe("many instances with the same change", () => {
  it("make one check, and all go by it", () => {
    const checks = new ConfigChecks(() => undefined);
    const alice = changed(CHANGED, { checks });
    const bob = {
      ...alice,
      instance: { ...alice.instance, metadata: { ...alice.instance.metadata, uid: "alice-uid" } },
    };
    const key = (name: string) => `tenants/${name}`;
    checks.report(key("other"), { ...plan(alice).check, id: plan(alice).check?.id ?? "", runs: true });
    expect(changes(plan(bob))).toEqual([]);
    expect(plan(bob).check).toMatchObject({ runs: false });

    const id = plan(bob).check?.id ?? "";
    checks.report(key("other"), { id, runs: true, trouble: { reason: "QuotaExceeded", message: "no room" } });
    expect(plan(bob).judgement.ConfigValid).toMatchObject({ reason: "QuotaExceeded" });
    checks.report(key("other"), undefined);
    checks.report(key("alice"), { id, runs: true });
    expect(changes(plan(bob))).toEqual(["create Pod"]);
    checks.report(key("other"), { id, runs: true, verdict: { passed: true } });
    expect(changes(plan(bob))).toEqual(["edit ConfigMap", "apply ConfigMap", "delete Pod"]);
  });
});
