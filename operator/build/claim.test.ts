import { describe, expect, it } from "vitest";
import type { ClassSpec, InstanceSpecInput } from "#crds/index.ts";
import { controllerOf } from "#lib/kube/owner.ts";
import type { PersistentVolumeClaim } from "#lib/kube/resource.ts";
import { aClass, anInstance, SLOT } from "../instance/view.fixture.ts";
import { buildClaim, growthPatch, ownershipPatch } from "./claim.ts";

function build(spec: Partial<InstanceSpecInput> = {}, plan: Partial<ClassSpec> = {}, live?: PersistentVolumeClaim) {
  return buildClaim(anInstance(spec), aClass(plan).spec, SLOT, live);
}

/** As the apiserver holds it: with a uid, and the storage class it chose. */
function stored(claim: PersistentVolumeClaim, storageClassName = "default-class"): PersistentVolumeClaim {
  return { ...claim, metadata: { ...claim.metadata, uid: "claim-uid" }, spec: { storageClassName, ...claim.spec } };
}

const size = (claim: PersistentVolumeClaim) => claim.spec?.resources?.requests?.storage;

describe("the volume claim", () => {
  it("takes size and storage class from the instance, else from its class", () => {
    const plan = { storage: { size: "5Gi", storageClassName: "slow" } };
    expect(build({}, plan).spec).toMatchObject({
      storageClassName: "slow",
      resources: { requests: { storage: "5Gi" } },
    });
    const own = build({ storage: { size: "8Gi", storageClassName: "fast" } }, plan);
    expect(own.spec).toMatchObject({ storageClassName: "fast", resources: { requests: { storage: "8Gi" } } });
    expect(build().spec).not.toHaveProperty("storageClassName");
  });

  it("belongs to the instance only when it is to go with it", () => {
    expect(controllerOf(build())).toBeUndefined();
    expect(controllerOf(build({ deletionPolicy: "Delete" }))?.uid).toBe("alice-uid");
    expect(controllerOf(build({ deletionPolicy: "Retain" }, { deletionPolicy: "Delete" }))).toBeUndefined();
  });

  it("says whose it is without saying who", () => {
    const human = build();
    const agent = build({ owner: { subject: "alice", kind: "Agent" } });
    expect(JSON.stringify(human.metadata.labels)).not.toContain('"human:alice"');
    expect(human.metadata.labels).not.toEqual(agent.metadata.labels);
  });
});

describe("a claim that is there", () => {
  it.each([
    ["the same", {}, {}],
    ["a class that got smaller", {}, { storage: { size: "1Gi" } }],
    ["a class with another storage class", {}, { storage: { size: "5Gi", storageClassName: "fast" } }],
    ["another way to say the size", {}, { storage: { size: "5120Mi" } }],
  ])("is left alone for %s", (_, spec, plan) => {
    const live = stored(build());
    expect(ownershipPatch(live, build(spec, plan, live).metadata)).toBeUndefined();
    expect(growthPatch(live, build(spec, plan, live))).toBeUndefined();
  });

  it("grows, and nothing else of it is touched", () => {
    const live = stored(build());
    const wanted = build({ storage: { size: "9Gi" } }, {}, live);
    expect(size(wanted)).toBe("9Gi");
    expect(ownershipPatch(live, wanted.metadata)).toBeUndefined();
    expect(growthPatch(live, wanted)).toEqual({
      metadata: { uid: "claim-uid" },
      spec: { resources: { requests: { storage: "9Gi" } } },
    });
  });

  it("changes its owner with the deletion policy, and keeps the owners that are no controllers", () => {
    const other = { apiVersion: "v1", kind: "ConfigMap", name: "x", uid: "x" };
    const kept = stored(build());
    const live = { ...kept, metadata: { ...kept.metadata, ownerReferences: [other] } };
    const owned = build({ deletionPolicy: "Delete" }, {}, live);
    const owner = controllerOf(owned);
    expect(ownershipPatch(live, owned.metadata)).toEqual({
      metadata: { uid: "claim-uid", ownerReferences: [other, owner] },
    });
    const gone = {
      ...stored(owned),
      metadata: { ...stored(owned).metadata, ownerReferences: owner ? [other, owner] : [] },
    };
    expect(ownershipPatch(gone, build({}, {}, gone).metadata)).toEqual({
      metadata: { uid: "claim-uid", ownerReferences: [other] },
    });
  });

  it("gets back the labels that somebody took", () => {
    const live = stored(build());
    const bare = { ...live, metadata: { ...live.metadata, labels: {} } };
    expect(ownershipPatch(bare, build({}, {}, bare).metadata)).toEqual({
      metadata: { uid: "claim-uid", labels: live.metadata.labels },
    });
  });
});
