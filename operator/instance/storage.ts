import { REASON, STEP } from "#crds/index.ts";
import { readQuantity } from "#lib/kube/quantity.ts";
import type { PersistentVolumeClaim } from "#lib/kube/resource.ts";
import { claimStanding } from "./ownership.ts";
import { fails, holds, unknown, type Verdict, waits } from "./verdict.ts";
import type { View } from "./view.ts";

/** A provisioner may take this long before a pending claim is called a fault. */
const PENDING_GRACE_MS = 60_000;

/** Judges the volume claim. `now` in epoch milliseconds. */
export function judgeStorage(view: View, now: number): Verdict {
  const { claim, instance } = view;
  const standing = claimStanding(claim, instance);
  if (!claim || standing !== "ours") return unknown("The volume claim is not there yet.");
  if (claim.metadata.deletionTimestamp) {
    const message = `The volume claim ${claim.metadata.name} is being deleted. Data can be saved only before the pod ends; delete the pod then, or set runPolicy to Stopped, and an empty volume follows.`;
    return fails(STEP.Storage, REASON.ClaimTerminating, message);
  }
  const phase = claim.status?.phase;
  if (phase === "Lost") {
    const message = `The volume of ${claim.metadata.name} is gone. Restore it, or delete the claim and then the pod, which holds it up, to start with an empty one.`;
    return fails(STEP.Storage, REASON.ClaimLost, message);
  }
  if (view.gateway?.reachable === false && view.gateway.reason === REASON.StorageFull)
    return fails(STEP.Storage, REASON.StorageFull, view.gateway.message);
  if (phase === "Bound")
    return isGrowing(claim) ? holds("The volume is growing.", REASON.ClaimResizing) : holds("The volume is bound.");
  // A claim that waits for its first pod is not late as long as there is none.
  if (instance.spec.runPolicy === "Stopped" || !view.pod)
    return waits(REASON.ClaimPending, "The volume is made when a pod first needs it.");
  return judgePending(claim, now);
}

function judgePending(claim: PersistentVolumeClaim, now: number): Verdict {
  const failsAt = Date.parse(claim.metadata.creationTimestamp ?? "") + PENDING_GRACE_MS;
  if (now < failsAt) return waits(REASON.ClaimPending, "The volume is being made.", failsAt);
  const message = `The volume claim ${claim.metadata.name} is still not bound; \`kubectl describe pvc\` says why. Check the StorageClass and its provisioner.`;
  return fails(STEP.Storage, REASON.ClaimPending, message);
}

function isGrowing(claim: PersistentVolumeClaim): boolean {
  const wanted = readQuantity(claim.spec?.resources?.requests?.storage);
  const has = readQuantity(claim.status?.capacity?.storage);
  return wanted !== undefined && has !== undefined && wanted > has;
}
