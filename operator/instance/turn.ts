import { ANNOTATION, type OpenClawInstance, REASON } from "#crds/index.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { outdatedBy } from "./outdated.ts";
import { standingOf } from "./ownership.ts";
import { judgePod } from "./pod-verdict.ts";
import type { View } from "./view.ts";

/**
 * Where an instance is in a rollout of its class. `waits`: it serves with a pod of before and may not replace it yet.
 * `current`: it serves with a pod of now, or wants none. `refused`: it serves, and cannot follow, as its class and its own
 * spec do not fit each other, or what they say was gone back from. `underWay`: anything between.
 */
export type RolloutStage = "waits" | "underWay" | "current" | "refused";

/**
 * True when replacing the pod takes a turn: it is outdated only by its class, and replacing it would cost something. A pod
 * that never was ready, that is at fault, or that can never serve with the credentials it has, is replaced at once, so that a
 * corrected class reaches what a bad one broke.
 * A pod that was ready and lapses has its turn to wait for: a hiccup of many must not let a change through to all of them.
 */
export function needsTurn(view: View, wanted: Pod | undefined, now: number): boolean {
  const { instance, pod, gateway } = view;
  if (!pod || !wanted || instance.spec.runPolicy === "Stopped" || standingOf(pod, instance) !== "ours") return false;
  if (outdatedBy(instance, pod, wanted) !== "byClass") return false;
  const { stage, failed } = judgePod(pod, now, view.node);
  if (stage === "Terminating" || stage === "Ended" || failed) return false;
  // Silence may be between the gateway and us alone: cut off from all, we must not take that for leave to replace all.
  if (gateway?.reachable === false && gateway.reason === REASON.GatewayUnauthorized) return false;
  return stage === "Ready" || wasReady(instance, pod);
}

/**
 * True for an instance that by the state of the world is in the middle of being replaced, perhaps by a rollout: how an
 * operator that starts anew knows what turns there are. In doubt it is: that only makes the others wait.
 */
export function looksUnderWay(instance: OpenClawInstance, pod: Pod | undefined): boolean {
  const { metadata, spec, status } = instance;
  if (spec.runPolicy === "Stopped" || metadata.deletionTimestamp) return false;
  if (status?.drain) return true;
  if (!pod || standingOf(pod, instance) !== "ours") return status?.runtime?.podUID !== undefined;
  if (pod.metadata.deletionTimestamp) return true;
  if (pod.metadata.annotations?.[ANNOTATION.rollout] === undefined) return false;
  // Gone back from the change of the class: the others are not to try it as well.
  if (status?.conditions?.some(({ reason }) => reason === REASON.RolledBack)) return true;
  // Times are whole seconds: one that was ready in the second in which this pod was made may have been so with the one before.
  return !(readyAt(instance) > createdAt(pod));
}

/** True when the instance was ready with this very pod. */
export function wasReady(instance: OpenClawInstance, pod: Pod): boolean {
  return readyAt(instance) >= createdAt(pod);
}

function readyAt({ status }: OpenClawInstance): number {
  return Date.parse(status?.lastReadyTime ?? "");
}

function createdAt({ metadata }: Pod): number {
  return Date.parse(metadata.creationTimestamp ?? "");
}
