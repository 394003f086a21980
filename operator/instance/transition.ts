import { CONDITION, type InstanceFailure, type InstanceStatus, REASON, STEP } from "#crds/index.ts";
import { findCondition, isConditionTrue } from "#lib/kube/conditions.ts";

/** The failure that begins with a status: `kubectl describe` shows when each began, and each is counted once. */
export function failureBegun(before: InstanceStatus | undefined, next: InstanceStatus): InstanceFailure | undefined {
  const { failure } = next;
  const same = before?.failure?.reason === failure?.reason && before?.failure?.step === failure?.step;
  return same ? undefined : failure;
}

/** Why the pod before this one is gone; undefined when no pod took another's place. */
export function replacementReason(before: InstanceStatus | undefined, next: InstanceStatus): string | undefined {
  if ((next.restarts ?? 0) <= (before?.restarts ?? 0)) return undefined;
  const { failure } = before ?? {};
  if (failure && OF_PODS.has(failure.step)) return failure.reason;
  const condition = findCondition(before?.conditions, CONDITION.PodReady);
  // Without a word of ours in between it was gone at once: somebody removed it.
  if (!condition || isConditionTrue(before?.conditions, CONDITION.PodReady)) return REASON.PodTerminating;
  return condition.reason;
}

/** Failures that end a pod or make us end it; any other is no reason for its replacement. What a pod itself refuses is in its condition. */
const OF_PODS: ReadonlySet<string> = new Set([STEP.Pod, STEP.Gateway, STEP.Storage]);
