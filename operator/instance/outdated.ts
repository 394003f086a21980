import { ANNOTATION, LABEL, type OpenClawInstance } from "#crds/index.ts";
import type { Pod } from "#lib/kube/resource.ts";

/** By what a pod is no longer what it should be: by its instance's own doing, or only by what many have in common. */
export type Outdated = "byItself" | "byClass";

/**
 * Why a new pod is due: what it is built from changed, or `restartedAt` has a new value. Undefined when none is. A change of
 * the class, of the operator's settings or of its way to build pods is all of many instances, and told as `byClass`.
 */
export function outdatedBy(instance: OpenClawInstance, pod: Pod, wanted: Pod): Outdated | undefined {
  const is = pod.metadata.annotations ?? {};
  const due = wanted.metadata.annotations ?? {};
  if (isRestartDue(instance, is[ANNOTATION.restartedAt])) return "byItself";
  if (pod.metadata.labels?.[LABEL.slot] !== wanted.metadata.labels?.[LABEL.slot]) return "byItself";
  if (is[ANNOTATION.podHash] === due[ANNOTATION.podHash]) return undefined;
  const own = is[ANNOTATION.ownHash];
  return own === undefined || own === due[ANNOTATION.ownHash] ? "byClass" : "byItself";
}

function isRestartDue({ spec, status }: OpenClawInstance, startedFor: string | undefined): boolean {
  const { restartedAt } = spec;
  return restartedAt !== undefined && restartedAt !== startedFor && restartedAt !== status?.observedRestart;
}
