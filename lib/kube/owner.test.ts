import { describe, expect, it } from "vitest";
import { controllerOf, ownerReference } from "./owner.ts";
import type { KubeObject } from "./types.ts";

const owner: KubeObject = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "a", uid: "u1" } };

function child(...references: ReturnType<typeof ownerReference>[]): KubeObject {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "c", ownerReferences: references } };
}

describe("owner", () => {
  it("marks the controller only when asked", () => {
    expect(ownerReference(owner)).toEqual({ apiVersion: "apps/v1", kind: "Deployment", name: "a", uid: "u1" });
    expect(ownerReference(owner, { controller: true })).toMatchObject({ controller: true, blockOwnerDeletion: true });
  });

  it("refuses an owner that was never stored", () => {
    const unborn = { ...owner, metadata: { name: "a" } };
    expect(() => ownerReference(unborn)).toThrow("Deployment a has no uid");
  });

  it("goes by the uid of the controller, not by name or mere ownership", () => {
    const other = { ...owner, metadata: { name: "a", uid: "u2" } };
    const both = child(ownerReference(other), ownerReference(owner, { controller: true }));
    expect(controllerOf(both)?.uid).toBe("u1");
    expect(controllerOf(child())).toBeUndefined();
  });
});
