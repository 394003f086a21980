import type { OpenClawInstance } from "#crds/index.ts";
import { PHASE } from "#crds/index.ts";

/** The four words callers know, from the days of one row per user. */
export type InstanceState = "provisioning" | "ready" | "error" | "deleted";

/** The phase as the instance's status has it; `Terminating` as soon as deletion was asked for. */
export function phaseOf(instance: OpenClawInstance): string {
  if (instance.metadata.deletionTimestamp) return PHASE.Terminating;
  return instance.status?.phase ?? PHASE.Provisioning;
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
