import { describe, expect, it } from "vitest";
import type { PersistentVolumeClaim, Pod } from "#lib/kube/resource.ts";
import { buildClaim } from "../build/claim.ts";
import { judgeStorage } from "./storage.ts";
import { aClass, anInstance, aView, NOW, SLOT } from "./view.fixture.ts";

const aPod: Pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "openclaw-alice" } };

function judge(status: PersistentVolumeClaim["status"], metadata = {}, spec = {}, now = NOW) {
  const instance = anInstance(spec);
  const built = buildClaim(instance, aClass().spec, SLOT);
  const claim = {
    ...built,
    status: status ?? {},
    metadata: { ...built.metadata, creationTimestamp: new Date(NOW).toISOString(), ...metadata },
  };
  return judgeStorage(aView({ instance, claim, pod: aPod }), now);
}

describe("a volume claim", () => {
  it.each([
    ["bound", { phase: "Bound", capacity: { storage: "5Gi" } }, {}, {}, "True", "AsExpected"],
    ["growing", { phase: "Bound", capacity: { storage: "1Gi" } }, {}, {}, "True", "ClaimResizing"],
    ["pending", { phase: "Pending" }, {}, {}, "False", "ClaimPending"],
    [
      "pending without a pod to make it for",
      { phase: "Pending" },
      {},
      { runPolicy: "Stopped" as const },
      "False",
      "ClaimPending",
    ],
    ["lost", { phase: "Lost" }, {}, {}, "False", "ClaimLost"],
    [
      "being deleted",
      { phase: "Bound" },
      { deletionTimestamp: "2026-11-23T10:00:00Z" },
      {},
      "False",
      "ClaimTerminating",
    ],
  ])("that is %s", (_, status, metadata, spec, is, reason) => {
    expect(judge(status, metadata, spec)).toMatchObject({ status: is, reason });
  });

  it("that stays pending is a fault after a minute, unless no pod is wanted", () => {
    const pending = { phase: "Pending" };
    expect(judge(pending, {}, {}, NOW + 59_999)).toMatchObject({ failsAt: NOW + 60_000 });
    expect(judge(pending, {}, {}, NOW + 59_999)).not.toHaveProperty("failedStep");
    expect(judge(pending, {}, {}, NOW + 60_000)).toMatchObject({ failedStep: "storage", reason: "ClaimPending" });
    expect(judge(pending, {}, { runPolicy: "Stopped" }, NOW + 60_000)).not.toHaveProperty("failedStep");
  });

  it("that stays pending is no fault while something else keeps its pod from being made", () => {
    const instance = anInstance();
    const claim = { ...buildClaim(instance, aClass().spec, SLOT), status: { phase: "Pending" } };
    expect(judgeStorage(aView({ instance, claim }), NOW + 60_000)).not.toHaveProperty("failedStep");
  });

  it("that is not there is no fault", () => {
    expect(judgeStorage(aView(), NOW)).toMatchObject({ status: "Unknown", reason: "Pending" });
  });
});
