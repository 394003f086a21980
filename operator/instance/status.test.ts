import { beforeAll, describe, expect, it } from "vitest";
import { type InstanceStatus, instanceStatusSchema } from "#crds/index.ts";
import { keysReady } from "#lib/keys.ts";
import { deriveStatus, deriveTerminating, type Findings, isUrgent } from "./status.ts";
import { fails, type Judgement, unknown, waits } from "./verdict.ts";
import { aJudgement, anInstance, NOW, readyPod, SLOT, settings, withStatus } from "./view.fixture.ts";

let found: Findings;

beforeAll(async () => {
  await keysReady();
  found = {
    judgement: aJudgement(),
    blocked: undefined,
    slot: { id: SLOT, key: settings().keyRing[0] },
    pod: aPod("pod-1"),
  };
});

function aPod(uid: string) {
  const image = "registry.test/openclaw:2026.9.6-0123456789ab";
  const spec = { containers: [{ name: "openclaw", image }] };
  return withStatus({ apiVersion: "v1", kind: "Pod", metadata: { name: "openclaw-alice", uid }, spec }, readyPod());
}

function derive(parts: Partial<Findings> = {}, before?: InstanceStatus, now = NOW): InstanceStatus {
  return deriveStatus(anInstance({}, before), { ...found, ...parts }, now);
}

const lost = (parts: Partial<Judgement> = {}) =>
  aJudgement({ PodReady: fails("pod", "NodeLost", "silent"), GatewayReachable: unknown("waits"), ...parts });
const condition = (status: InstanceStatus, type: string) => status.conditions?.find((one) => one.type === type);

describe("a status", () => {
  it("of a serving instance is whole, and what the schema allows", () => {
    const status = derive();
    expect(instanceStatusSchema.parse(status)).toEqual(status);
    expect(status).toMatchObject({
      observedGeneration: 1,
      phase: "Ready",
      endpoint: "http://openclaw-alice.tenants.svc:18789",
      lastReadyTime: "2026-11-23T10:00:00Z",
      restarts: 0,
      runtime: {
        name: "openclaw-alice",
        slot: SLOT,
        podUID: "pod-1",
        podIP: "10.0.0.7",
        node: "node-1",
        version: "2026.9.6",
      },
    });
    expect(condition(status, "Ready")).toMatchObject({ status: "True", reason: "AsExpected", observedGeneration: 1 });
  });

  it("is the same when nothing changed, however late", () => {
    const status = derive();
    expect(derive({}, status, NOW + 3_600_000)).toEqual(status);
  });

  it("is provisioning while nothing is wrong, and names the culprit once something is", () => {
    const starting = { PodReady: waits("PodStarting", "starts"), GatewayReachable: unknown("waits") };
    const early = derive({ judgement: aJudgement(starting) });
    expect([early.phase, early.failure]).toEqual(["Provisioning", undefined]);
    expect(condition(early, "Ready")).toMatchObject({ status: "False", reason: "PodStarting" });

    const broken = {
      ...starting,
      StorageReady: fails("storage", "ClaimLost", "gone"),
      PodReady: fails("pod", "Unschedulable", "no room"),
    };
    const late = derive({ judgement: aJudgement(broken) }, early);
    expect(late.phase).toBe("Failed");
    expect(late.failure).toEqual({
      step: "storage",
      reason: "ClaimLost",
      message: "gone",
      since: "2026-11-23T10:00:00Z",
    });
    expect(condition(late, "Ready")).toMatchObject({ status: "False", reason: "ClaimLost", message: "gone" });
    const later = derive({ judgement: aJudgement(broken) }, late, NOW + 60_000);
    expect(later.failure?.since).toBe("2026-11-23T10:00:00Z");
  });

  it("stays ready when something fails that cuts nobody off, and says what", () => {
    const status = derive({ judgement: aJudgement({ ClassFound: fails("class", "ClassNotFound", "no class") }) });
    expect(status).toMatchObject({ phase: "Ready", failure: { step: "class" } });
    expect(condition(status, "Ready")).toMatchObject({ status: "True", reason: "ClassNotFound" });
    const blocked = derive({ blocked: { step: "network", reason: "NameTaken", message: "taken" } });
    expect(blocked).toMatchObject({ phase: "Ready", failure: { step: "network", reason: "NameTaken" } });
  });

  it("has no message that the schema forbids, and none that is stored in another way", () => {
    const long = fails("config", "ForbiddenConfigKey", `a${"🦀".repeat(40_000)}`);
    const status = derive({ judgement: aJudgement({ ConfigValid: long }) });
    expect(instanceStatusSchema.safeParse(status).error).toBeUndefined();
    expect(condition(status, "Ready")?.message).toMatch(/^The gateway serves, but: a🦀/);
    const all = [status.failure?.message, ...(status.conditions ?? []).map(({ message }) => message)];
    expect(all.every((message) => message?.isWellFormed())).toBe(true);
  });

  it("counts no spec as observed while what it says of the volume's owner is not carried out", () => {
    expect(derive({ reowns: true }, { observedGeneration: 0 })).toMatchObject({ observedGeneration: 0 });
    expect(derive({ reowns: false }, { observedGeneration: 0 })).toMatchObject({ observedGeneration: 1 });
  });

  it.each<[string, Partial<Findings>]>([
    ["a change that was gone back from", { judgement: lost({ ConfigValid: fails("config", "RolledBack", "back") }) }],
    ["a class that is gone", { judgement: lost({ ClassFound: fails("class", "ClassNotFound", "gone") }) }],
    [
      "a volume that cannot grow",
      {
        judgement: lost(),
        blocked: { step: "storage", reason: "ChildRefused", message: "no", keepsNothing: true },
      },
    ],
  ])("names what keeps it from serving before %s", (_, parts) => {
    const status = derive(parts);
    expect(status.failure).toMatchObject({ step: "pod", reason: "NodeLost" });
    expect(condition(status, "Ready")).toMatchObject({ status: "False", reason: "NodeLost" });
    expect(condition(status, "PodReady")).toMatchObject({ status: "False", reason: "NodeLost" });
  });

  it("of a blocked child fails the condition it stands for", () => {
    const judgement = aJudgement({ PodReady: unknown("waits"), StorageReady: unknown("waits") });
    const storage = derive({ judgement, blocked: { step: "storage", reason: "QuotaExceeded", message: "full" } });
    expect(condition(storage, "StorageReady")).toMatchObject({ status: "False", reason: "QuotaExceeded" });
    const secret = derive({ judgement, blocked: { step: "secret", reason: "NameTaken", message: "taken" } });
    expect(condition(secret, "PodReady")).toMatchObject({ status: "False", reason: "NameTaken" });
    expect(secret.failure).toMatchObject({ step: "secret", reason: "NameTaken" });
  });

  it("counts a pod in the place of an earlier one, and gives no address of a pod that is gone", () => {
    const first = derive();
    const gone = derive({ pod: undefined, judgement: aJudgement({ PodReady: waits("PodStarting", "") }) }, first);
    expect(gone.runtime).toMatchObject({ podUID: "pod-1" });
    expect(gone.runtime).not.toHaveProperty("podIP");
    expect(derive({ pod: aPod("pod-2") }, gone)).toMatchObject({ restarts: 1, runtime: { podUID: "pod-2" } });
    expect(derive({ pod: aPod("pod-1") }, gone)).toMatchObject({ restarts: 0 });
  });

  it("of an instance being deleted says so and keeps the rest", () => {
    const ready = derive();
    const status = deriveTerminating(anInstance({}, ready), NOW);
    expect(status).toMatchObject({ phase: "Terminating", runtime: ready.runtime });
    expect(condition(status, "Ready")).toMatchObject({ status: "False", reason: "Terminating" });
    expect(deriveTerminating(anInstance({}, status), NOW + 60_000)).toEqual(status);
  });
});

describe("what is urgent", () => {
  it.each<[string, boolean, Partial<InstanceStatus>]>([
    ["another phase", true, { phase: "Failed" }],
    ["a new generation", true, { observedGeneration: 2 }],
    ["a failure", true, { failure: { step: "pod", reason: "CrashLoop", message: "", since: "2026-11-23T10:00:00Z" } }],
    [
      "an address that is no longer the pod's",
      true,
      { runtime: { name: "openclaw-alice", slot: SLOT, keyId: "00000000" } },
    ],
    ["a count", false, { restarts: 3 }],
    ["words of a condition", false, { conditions: [] }],
  ])("%s: %s", (_, urgent, change) => {
    const before = { ...derive(), conditions: [] };
    expect(isUrgent(before, { ...before, ...change })).toBe(urgent);
  });

  it("is the first word of all", () => {
    expect(isUrgent(undefined, derive())).toBe(true);
  });
});
