import { REASON, type Reason, STEP, type Step } from "#crds/index.ts";

/** What a pod's status amounts to. */
export interface PodVerdict {
  /** `Ended`: it will never run again, only a new pod helps. */
  readonly stage: "Starting" | "Ready" | "NotReady" | "Ended" | "Terminating";
  readonly reason: Reason;
  /** For a person, with the next step. */
  readonly message: string;
  /** True when this is a fault and not a step on the way. */
  readonly failed: boolean;
  /** When a step on the way would become a fault by its length (epoch milliseconds). */
  readonly failsAt?: number;
}

/** Reasons that a container gives and that belong to another link of the chain than the pod. */
const STEP_OF: Partial<Record<Reason, Step>> = {
  [REASON.ConfigRejected]: STEP.Config,
  [REASON.StateUnusable]: STEP.Storage,
  [REASON.StorageFull]: STEP.Storage,
};

/** The link of the chain that a pod's fault belongs to. */
export function stepOf(reason: Reason): Step {
  return STEP_OF[reason] ?? STEP.Pod;
}

/** A step on the way to a pod that serves. */
export function onTheWay(stage: PodVerdict["stage"], reason: Reason, message: string): PodVerdict {
  return { stage, reason, message, failed: false };
}

/** The way that every pod goes first. */
export function starting(): PodVerdict {
  return onTheWay("Starting", REASON.PodStarting, "The pod is starting.");
}

/** Something that waiting does not cure. */
export function fault(stage: PodVerdict["stage"], reason: Reason, message: string): PodVerdict {
  return { stage, reason, message, failed: true };
}
