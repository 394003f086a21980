import { beforeAll, describe, expect, it } from "vitest";
import { ANNOTATION, LABEL } from "#crds/index.ts";
import { keysReady } from "#lib/keys.ts";
import { digestEntries } from "../build/digest.ts";
import { changes, plan, running } from "./plan.fixture.ts";
import { planInstance } from "./plan.ts";
import {
  aClass,
  anInstance,
  aView,
  carriedOut,
  NOW,
  OTHER_SLOT,
  readyPod,
  SLOT,
  settings,
  withStatus,
} from "./view.fixture.ts";
import type { View } from "./view.ts";

beforeAll(keysReady);

const CREATION = [
  "create NetworkPolicy",
  "create Secret",
  "create ConfigMap",
  "create PersistentVolumeClaim",
  "create Service",
  "create Pod",
];

describe("a plan", () => {
  it("makes what is missing, in the order a pod needs it", () => {
    expect(changes(plan(aView()))).toEqual(CREATION);
  });

  it("is done once it is carried out", () => {
    const made = carriedOut(aView(), plan(aView()).writes);
    expect(changes(plan(made, NOW, OTHER_SLOT))).toEqual([]);
    expect(changes(plan(running(), NOW, OTHER_SLOT))).toEqual([]);
  });

  it.each(CREATION.map((_, done) => done))("goes on from where it was cut off (%i writes done)", (done) => {
    const cut = carriedOut(aView(), plan(aView()).writes.slice(0, done));
    const next = plan(cut, NOW, OTHER_SLOT);
    expect(changes(next)).toEqual(CREATION.slice(done));
    expect(next.slot.id).toBe(done <= 1 ? OTHER_SLOT : SLOT);
  });

  it("says of a running instance that all is well", () => {
    const { judgement, blocked, wakeAt, probe } = plan(running());
    expect(Object.values(judgement).map(({ status }) => status)).toEqual(Array(6).fill("True"));
    expect([blocked, wakeAt]).toEqual([undefined, undefined]);
    expect(probe?.url).toBe("http://10.0.0.7:18789");
  });
});

describe("the slot", () => {
  const slotIn = (view: View) => plan(view, NOW, OTHER_SLOT).slot.id;
  const status = { runtime: { name: "openclaw-alice", slot: SLOT, keyId: "00000000" } };

  it("is that of the Secret, else that of the status, else that of the volume, else a new one", () => {
    const made = running();
    expect(slotIn(made)).toBe(SLOT);
    expect(slotIn({ ...made, secret: undefined })).toBe(SLOT);
    expect(slotIn(aView({ instance: anInstance({}, status) }))).toBe(SLOT);
    expect(slotIn(aView())).toBe(OTHER_SLOT);
  });

  it("is derived by the newest root key once the one that derived it has left the ring, and the pod is replaced", () => {
    const ring = `${"d4".repeat(32)}`;
    const rotated = planInstance(running(), settings(ring), NOW, OTHER_SLOT);
    expect(rotated.slot.id).toBe(SLOT);
    expect(changes(rotated)).toEqual(["apply Secret", "delete Pod"]);
  });

  it("moves to a newer root key with the next pod, and its pod in a turn, reached with the key it has until it is gone", () => {
    const withRing = (view: View) => planInstance(view, settings(`${"d4".repeat(32)},${"c3".repeat(32)}`), NOW, SLOT);
    const [newest] = settings("d4".repeat(32)).keyRing;
    const view = running();
    expect([withRing(view).rollout, changes(withRing(view))]).toEqual(["waits", []]);
    const due = withRing({ ...view, hasTurn: true });
    expect([changes(due), due.slot.key]).toEqual([["delete Pod"], plan(view).slot.key]);

    const next = withRing({ ...view, pod: undefined });
    expect([changes(next), next.slot.key.id]).toEqual([["apply Secret", "create Pod"], newest.id]);
    const moved = carriedOut({ ...view, pod: undefined }, next.writes);
    expect(changes(withRing({ ...moved, pod: withStatus(moved.pod, readyPod()) }))).toEqual([]);
    const ended = withRing({ ...view, pod: withStatus(view.pod, { phase: "Failed" }) });
    expect(changes(ended)).toEqual(["apply Secret", "delete Pod", "create Pod"]);
  });
});

describe("a pod", () => {
  const withPod = (status: Parameters<typeof withStatus>[1]) => ({
    ...running(),
    pod: withStatus(running().pod, status),
  });

  it("that ended is deleted and made again at once", () => {
    expect(changes(plan(withPod({ phase: "Failed", reason: "Evicted" })))).toEqual(["delete Pod", "create Pod"]);
  });

  it("that keeps ending is made again only after a pause", () => {
    const view = { ...withPod({ phase: "Failed" }), replaceAfter: NOW + 4_000 };
    expect(changes(plan(view))).toEqual(["delete Pod"]);
    const gone = { ...view, pod: undefined };
    expect([changes(plan(gone)), plan(gone).wakeAt]).toEqual([[], NOW + 4_000]);
    expect(changes(plan(gone, NOW + 4_000))).toEqual(["create Pod"]);
  });

  it("that ended stays while no other can be made, and what is missing for that is the fault", () => {
    const view = { ...withPod({ phase: "Failed", reason: "Evicted" }), class: undefined };
    expect(changes(plan(view))).toEqual([]);
    expect(plan(view).judgement.PodReady).toMatchObject({ status: "False", reason: "Evicted" });
    expect(plan(view).judgement.PodReady).not.toHaveProperty("failedStep");
    expect(plan(view).judgement.ClassFound).toMatchObject({ failedStep: "class", reason: "ClassNotFound" });
  });

  it("that is going away is waited for", () => {
    const view = running();
    const pod = view.pod && {
      ...view.pod,
      metadata: { ...view.pod.metadata, deletionTimestamp: "2026-11-23T10:00:00Z" },
    };
    const { judgement, ...rest } = plan({ ...view, pod });
    expect(changes({ judgement, ...rest })).toEqual([]);
    expect(judgement.PodReady).toMatchObject({ status: "False", reason: "PodTerminating" });
    expect(rest.probe).toBeUndefined();
  });

  it("is replaced for a new image, and made anew at once if it never had a node", () => {
    const view = { ...running(), instance: anInstance({ image: "registry.test/openclaw:2026.10.0" }) };
    expect(changes(plan(view))).toEqual(["edit ConfigMap", "apply ConfigMap", "delete Pod"]);
    const pod = view.pod && { ...view.pod, spec: { containers: [] }, status: { phase: "Pending" } };
    expect(changes(plan({ ...view, pod }))).toEqual(["apply ConfigMap", "delete Pod", "create Pod"]);
  });

  it("is not replaced by another version of the operator", () => {
    const newer = planInstance(running(), { ...settings(), operatorVersion: "9.9.9" }, NOW, SLOT);
    expect(changes(newer)).toEqual([]);
  });

  it("is restarted once for a value of restartedAt that it was not started for and that was not carried out", () => {
    const restartedAt = "2026-11-23T09:00:00Z";
    const asked = anInstance({ restartedAt });
    expect(changes(plan({ ...running(), instance: asked }))).toEqual(["delete Pod"]);
    const done = anInstance({ restartedAt }, { observedRestart: restartedAt });
    expect(changes(plan({ ...running(), instance: done }))).toEqual([]);
    const born = running({ instance: asked });
    expect(born.pod?.metadata.annotations?.[ANNOTATION.restartedAt]).toBe(restartedAt);
    expect(changes(plan(born))).toEqual([]);
  });

  it("goes when the instance is stopped, and everything else stays", () => {
    const stopped = { ...running(), instance: anInstance({ runPolicy: "Stopped" }) };
    expect(changes(plan(stopped))).toEqual(["delete Pod"]);
    const gone = plan({ ...stopped, pod: undefined });
    expect(changes(gone)).toEqual([]);
    expect(gone.judgement.PodReady).toMatchObject({ status: "False", reason: "Stopped" });
  });
});

describe("a spec that cannot be carried out", () => {
  const forbidden = anInstance({ gateway: { config: { gateway: { port: 1 } } } });

  it("changes nothing of what runs, yet what runs is kept running", () => {
    const view = { ...running(), instance: forbidden };
    expect(changes(plan(view))).toEqual([]);
    expect(plan(view).judgement.ConfigValid).toMatchObject({ status: "False", reason: "ForbiddenConfigKey" });
    expect(changes(plan({ ...view, pod: undefined }))).toEqual(["create Pod"]);
  });

  it("makes no pod from a configuration that was edited by hand meanwhile", () => {
    const view = { ...running(), instance: forbidden, pod: undefined };
    const configMap = view.configMap && { ...view.configMap, data: digestEntries({ "openclaw.json": "{}" }) };
    expect(changes(plan({ ...view, configMap }))).toEqual([]);
  });

  it("replaces no pod for what else it says", () => {
    const newer = aClass({ image: "registry.test/openclaw:2026.10.0" });
    const view = { ...running(), instance: forbidden, class: newer, hasTurn: true };
    expect(changes(plan(view))).toEqual([]);
    const allowed = changes(plan({ ...view, instance: anInstance() }));
    expect(allowed).toEqual(["edit ConfigMap", "apply ConfigMap", "delete Pod"]);
  });

  it("opens no destination, and closes none", () => {
    const egress = [{ cidr: "203.0.113.0/24", ports: [22] }];
    const open = running({ instance: anInstance({ network: { egress } }) });
    expect(open.instancePolicy).toBeDefined();
    const refused = anInstance({ network: { egress: [{ cidr: "10.9.9.9/8", ports: [22] }] } });
    expect(plan({ ...open, instance: refused }).judgement.ConfigValid).toMatchObject({ reason: "ForbiddenConfigKey" });
    expect(changes(plan({ ...open, instance: refused }))).toEqual([]);
    expect(changes(plan({ ...running(), instance: refused }))).toEqual([]);
  });

  it("makes no pod where there was none", () => {
    expect(changes(plan(aView({ instance: forbidden })))).not.toContain("create Pod");
    const unknownModel = aView({ instance: anInstance({ model: { default: "huge" } }) });
    expect(plan(unknownModel).judgement.ModelConfigured).toMatchObject({ status: "False", reason: "ModelNotFound" });
    expect(changes(plan(unknownModel))).not.toContain("create Pod");
    expect(changes(plan(aView({ class: undefined })))).toEqual([]);
  });
});

describe("a name that is taken", () => {
  const foreign = { metadata: { name: "openclaw-alice", namespace: "tenants", uid: "x" } };

  it.each([
    ["secret", "Secret", "secret", 1],
    ["configMap", "ConfigMap", "config", 2],
    ["claim", "PersistentVolumeClaim", "storage", 3],
    ["service", "Service", "network", 4],
    ["pod", "Pod", "pod", 5],
  ] as const)("by a foreign %s ends the plan there", (slot, kind, step, before) => {
    const view = aView({ [slot]: { apiVersion: "v1", kind, ...foreign } });
    const blocked = plan(view);
    expect(changes(blocked)).toEqual(CREATION.slice(0, before));
    expect(blocked.blocked).toMatchObject({ step, reason: "NameTaken" });
  });

  it("by a child of an instance that had this name is waited for", () => {
    const view = running();
    const owner = {
      apiVersion: "hatchery.openagents.com/v1alpha1",
      kind: "OpenClawInstance",
      name: "alice",
      uid: "earlier",
    };
    const secret = view.secret && {
      ...view.secret,
      metadata: { ...view.secret.metadata, ownerReferences: [{ ...owner, controller: true }] },
    };
    const waiting = plan({ ...aView(), secret });
    expect([changes(waiting), waiting.blocked]).toEqual([["create NetworkPolicy"], undefined]);
  });

  it("by the volume of another tenant is not adopted, by that of the same one is, with its slot", () => {
    const { claim } = running();
    const mallory = aView({ claim, instance: anInstance({ owner: { subject: "mallory" } }) });
    expect(plan(mallory, NOW, OTHER_SLOT).blocked).toMatchObject({ step: "storage", reason: "NameTaken" });
    const again = aView({ claim, instance: { ...anInstance(), metadata: { ...anInstance().metadata, uid: "later" } } });
    const adopted = plan(again, NOW, OTHER_SLOT);
    expect(adopted.slot.id).toBe(SLOT);
    expect(changes(adopted)).toEqual(CREATION.filter((what) => what !== "create PersistentVolumeClaim"));
    expect(adopted.writes.at(-1)).toMatchObject({ body: { metadata: { labels: { [LABEL.slot]: SLOT } } } });
  });
});

describe("a volume claim", () => {
  it("is let go before anything else is looked at, and grows by a patch of its own", () => {
    const view = running({ instance: anInstance({ deletionPolicy: "Delete" }) });
    const foreign = { apiVersion: "v1", kind: "Secret", metadata: { name: "openclaw-alice", uid: "x" } };
    const kept = { ...view, instance: anInstance({ deletionPolicy: "Retain", storage: { size: "9Gi" } }) };
    const patches = (is: View) => plan(is).writes.flatMap((write) => (write.verb === "patch" ? [write.patch] : []));
    const letGo = { metadata: { uid: view.claim?.metadata.uid, ownerReferences: [] } };
    const grow = { spec: { resources: { requests: { storage: "9Gi" } } } };
    expect(patches(kept)).toMatchObject([letGo, grow]);
    expect(plan(kept).writes[0]).toMatchObject({ patch: letGo });
    expect(plan({ ...kept, secret: foreign }).writes[0]).toMatchObject({ patch: letGo });
  });

  it("is let go as its instance says also when the class is gone, which alone changes nothing", () => {
    const view = { ...running({ class: aClass({ deletionPolicy: "Delete" }) }), class: undefined };
    expect(changes(plan(view))).toEqual([]);
    const kept = plan({ ...view, instance: anInstance({ deletionPolicy: "Retain" }) });
    expect(kept.writes).toMatchObject([{ verb: "patch", patch: { metadata: { ownerReferences: [] } } }]);
    expect(kept.reowns).toBe(true);
  });

  it.each([
    ["10737418240000m", []],
    ["10737418241", []],
    ["8E", []],
    ["1Pi", []],
    ["12e9", []],
    ["as it likes", []],
    ["1181116006400m", ["patch PersistentVolumeClaim"]],
  ])("of %s takes %j", (storage, expected) => {
    const view = running();
    const claim = view.claim && {
      ...view.claim,
      spec: { ...view.claim.spec, resources: { requests: { storage } } },
      status: { phase: "Bound", capacity: { storage } },
    };
    expect(changes(plan({ ...view, claim }))).toEqual(expected);
    expect(plan({ ...view, claim }).judgement.StorageReady.status).toBe("True");
  });
});

describe("the policy of a class", () => {
  it("is put back by any instance, whatever stands in its own way", () => {
    const foreign = { apiVersion: "v1", kind: "Secret", metadata: { name: "openclaw-alice", uid: "x" } };
    expect(changes(plan({ ...running(), classPolicy: undefined, secret: foreign }))).toEqual(["create NetworkPolicy"]);
  });
});

describe("a gateway", () => {
  it("is not called at once after a restart of the operator, unless its container or its address is another", () => {
    const view = running();
    const startedAt = new Date(NOW).toISOString();
    const condition = {
      type: "GatewayReachable",
      status: "True" as const,
      reason: "AsExpected",
      message: "",
      lastTransitionTime: startedAt,
    };
    const runtime = {
      name: "openclaw-alice",
      slot: SLOT,
      keyId: "00000000",
      podUID: view.pod?.metadata.uid ?? "",
      podIP: "10.0.0.7",
      startedAt,
    };
    const known = (status: object) => ({
      ...view,
      gateway: undefined,
      instance: anInstance({}, { conditions: [condition], runtime, ...status }),
    });
    expect(plan(known({})).probe).toMatchObject({ known: true });
    expect(plan(known({})).judgement.GatewayReachable.status).toBe("True");
    const restarted = known({ runtime: { ...runtime, startedAt: "2026-11-23T09:00:00Z" } });
    expect(plan(restarted).probe).toMatchObject({ known: false });
    const moved = known({ runtime: { ...runtime, podIP: "10.0.0.8" } });
    expect(plan(moved).probe).toMatchObject({ known: false });
    expect(plan(restarted).judgement.GatewayReachable).toMatchObject({ status: "Unknown", reason: "ProbePending" });
  });
});
