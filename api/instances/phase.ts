import type { OpenClawInstance } from "#crds/index.ts";
import { PHASE, REPLACED_BY_ITSELF } from "#crds/index.ts";

/** The four words callers know, from the days of one row per user. */
export type InstanceState = "provisioning" | "ready" | "error" | "deleted";

/**
 * The phase as the instance's status has it, but for two: `Terminating` as soon as deletion was asked for, and `Provisioning` while
 * the operator replaces a pod that failed. Nothing is to be done about that one, and a restart would end the replacement.
 */
export function phaseOf({ metadata, status }: OpenClawInstance): string {
  if (metadata.deletionTimestamp) return PHASE.Terminating;
  const isReplaced = status?.failure !== undefined && REPLACED_BY_ITSELF.has(status.failure.reason);
  if (status?.phase === PHASE.Failed && isReplaced) return PHASE.Provisioning;
  return status?.phase ?? PHASE.Provisioning;
}

/** A phase in the callers' words; phases of a newer operator that we don't know count as under way. */
export function stateOf(phase: string): InstanceState {
  switch (phase) {
    case PHASE.Ready:
    case PHASE.Stopped:
      return "ready";
    case PHASE.Failed:
      return "error";
    case PHASE.Terminating:
      return "deleted";
    default:
      return "provisioning";
  }
}

/** True when nothing more will happen by itself: ready, on its way out, or stopped or failed with the spec of now. */
export function isSettled(instance: OpenClawInstance): boolean {
  const phase = phaseOf(instance);
  const judged = instance.status?.observedGeneration === instance.metadata.generation;
  if (phase === PHASE.Stopped || phase === PHASE.Failed) return judged;
  return phase === PHASE.Ready || phase === PHASE.Terminating;
}
