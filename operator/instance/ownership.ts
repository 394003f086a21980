import { GROUP, LABEL, type OpenClawInstance } from "#crds/index.ts";
import { controllerOf } from "#lib/kube/owner.ts";
import type { PersistentVolumeClaim } from "#lib/kube/resource.ts";
import type { KubeObject } from "#lib/kube/types.ts";
import { MANAGED_BY, tenantHash } from "../build/identity.ts";

/**
 * Whose an object under a child's name is. `leaving`: it is going away (its owner is gone, or it is being deleted), so the
 * name becomes free by itself. `taken`: it is someone else's, and stays as it is.
 */
export type Standing = "absent" | "ours" | "leaving" | "taken";

/** Judges a child by its owner's uid; names and labels prove nothing. */
export function standingOf(child: KubeObject | undefined, instance: OpenClawInstance): Standing {
  if (!child) return "absent";
  const owner = controllerOf(child);
  if (owner && owner.uid === instance.metadata.uid) return "ours";
  if (child.metadata.deletionTimestamp) return "leaving";
  // An earlier instance of this name: the garbage collector has yet to come by.
  const earlier = owner?.kind === instance.kind && owner.name === instance.metadata.name;
  return earlier && owner.apiVersion.startsWith(`${GROUP}/`) ? "leaving" : "taken";
}

/**
 * As `standingOf`; a claim without an owner is ours too when it was made for an instance of this name and this tenant:
 * either ours under deletionPolicy Retain, or the one an earlier instance left behind.
 */
export function claimStanding(claim: PersistentVolumeClaim | undefined, instance: OpenClawInstance): Standing {
  if (!claim || controllerOf(claim)) return standingOf(claim, instance);
  const labels = claim.metadata.labels ?? {};
  const matches = Object.entries({
    ...MANAGED_BY,
    [LABEL.instance]: instance.metadata.name,
    [LABEL.tenant]: tenantHash(instance.spec.owner),
  }).every(([key, value]) => labels[key] === value);
  return matches ? "ours" : "taken";
}

/** A policy shared by a class's pods has no owner; ours is what carries our labels. */
export function classPolicyStanding(policy: KubeObject | undefined, className: string): Standing {
  if (!policy) return "absent";
  const labels = policy.metadata.labels ?? {};
  const ours = Object.entries({ ...MANAGED_BY, [LABEL.class]: className }).every(
    ([key, value]) => labels[key] === value,
  );
  return ours ? "ours" : "taken";
}
