import {
  CONDITION,
  type InstanceDrain,
  type InstanceFailure,
  type InstanceStatus,
  type OpenClawInstance,
  PHASE,
  type Phase,
  REASON,
  STEP,
} from "#crds/index.ts";
import { timestamp } from "#lib/clock.ts";
import { defined } from "#lib/defined.ts";
import { findCondition, isConditionTrue, setCondition } from "#lib/kube/conditions.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { shorten } from "#lib/shorten.ts";
import { runtimeName } from "../build/identity.ts";
import { serviceEndpoint } from "../build/service.ts";
import { observeRuntime } from "./runtime.ts";
import type { Slot } from "./slot.ts";
import { type Blocked, type JudgedCondition, type Judgement, unknown, type Verdict, waits } from "./verdict.ts";

/** What is asked for ... */
const ASKED = ["ClassFound", "ConfigValid", "ModelConfigured"] as const;
/** ... and what serves, earlier links of the chain first: of several faults the first is the culprit. */
const SERVING = ["StorageReady", "PodReady", "GatewayReachable"] as const;

/** Longest message: words of others come in, and each fault is told in three places. */
const WORDS_MAX = 4_000;

/** What a status is made from. */
export interface Findings {
  readonly judgement: Judgement;
  readonly blocked: Blocked | undefined;
  readonly slot: Slot;
  /** The instance's own pod, as last seen. */
  readonly pod: Pod | undefined;
  /** What the pod is finishing before it goes. */
  readonly drain?: InstanceDrain | undefined;
  /** What the spec says of the volume's owner is still to be carried out: nobody may rely on it yet. */
  readonly reowns?: boolean | undefined;
  /** The pod goes on: if it was being drained, it is so no more. */
  readonly stays?: boolean | undefined;
}

/**
 * The whole status. `Ready` means that the slot's gateway serves: the pod is ready and the gateway answered. A fault elsewhere,
 * such as a class that was removed, cuts nobody off; it is told as `failure` and as the reason of `Ready`.
 */
export function deriveStatus(instance: OpenClawInstance, found: Findings, now: number): InstanceStatus {
  const before: InstanceStatus = instance.status ?? {};
  const judgement = withBlocked(found.judgement, found.blocked);
  const failure = failureOf(found, before.failure, now);
  const ready = judgeReady(judgement, failure);
  const conditions = [
    ...[...ASKED, ...SERVING].map((type) => [type, judgement[type]] as const),
    [CONDITION.Ready, ready] as const,
  ].reduce(
    (list, [type, { status, reason, message }]) =>
      setCondition(
        list,
        {
          type,
          status,
          reason,
          message: shorten(message, WORDS_MAX),
          observedGeneration: instance.metadata.generation,
        },
        timestamp(now),
      ),
    before.conditions ?? [],
  );
  const becameReady = ready.status === "True" && !isConditionTrue(before.conditions, CONDITION.Ready);
  const runtime = observeRuntime(before.runtime, {
    name: runtimeName(instance),
    slot: found.slot,
    pod: found.pod,
    stopped: isStopped(instance),
  });
  return defined({
    observedGeneration: found.reowns ? before.observedGeneration : instance.metadata.generation,
    conditions,
    phase: phaseOf(instance, ready, failure),
    runtime: runtime.runtime,
    endpoint: serviceEndpoint({ name: runtimeName(instance), namespace: instance.metadata.namespace ?? "" }),
    lastReadyTime: becameReady ? timestamp(now) : before.lastReadyTime,
    observedRestart: runtime.restartedAt ?? before.observedRestart,
    restarts: (before.restarts ?? 0) + (runtime.replaced ? 1 : 0),
    drain: found.drain ?? (found.stays ? undefined : drainOf(before, runtime.runtime.podUID)),
    failure,
  });
}

/** The drain of this pod: its replacement may take long, and another write only to say that the drain is over is not worth it. */
function drainOf({ drain }: InstanceStatus, podUID: string | undefined): InstanceDrain | undefined {
  return drain?.podUID === podUID ? drain : undefined;
}

/** The status of an instance that is being deleted: garbage collection ends its children, we only say so. */
export function deriveTerminating(instance: OpenClawInstance, now: number): InstanceStatus {
  const before: InstanceStatus = instance.status ?? {};
  const ready = waits(REASON.Terminating, "The instance is being deleted.");
  const condition = { type: CONDITION.Ready, ...ready, observedGeneration: instance.metadata.generation };
  const { failure: _, ...rest } = before;
  return { ...rest, phase: PHASE.Terminating, conditions: setCondition(before.conditions, condition, timestamp(now)) };
}

/**
 * True when people or the API must learn of the change now. The rest (a bound volume, the node of a starting pod) waits
 * for the next such change or a while, so that an instance costs two status writes from its creation until it is ready.
 */
export function isUrgent(before: InstanceStatus | undefined, next: InstanceStatus): boolean {
  if (!before) return true;
  const essence = (status: InstanceStatus) => [
    status.observedGeneration,
    status.phase,
    findCondition(status.conditions, CONDITION.Ready)?.status,
    status.failure?.step,
    status.failure?.reason,
    status.runtime?.name,
    status.runtime?.slot,
    status.runtime?.keyId,
    drainOf(status, next.runtime?.podUID)?.podUID,
  ];
  const was = essence(before);
  // An address that is no longer the pod's must not be dialled; one that nobody is told to dial yet can wait.
  const moved = before.runtime?.podIP !== undefined && before.runtime.podIP !== next.runtime?.podIP;
  return moved || essence(next).some((value, index) => value !== was[index]);
}

function withBlocked(judgement: Judgement, blocked: Blocked | undefined): Judgement {
  if (!blocked) return judgement;
  const { step, reason, message } = blocked;
  const verdict: Verdict = { status: "False", reason, message, failedStep: step };
  if (step === STEP.Storage) return { ...judgement, StorageReady: verdict };
  // What runs is not less ready for a child that cannot be brought up to date.
  return blocked.keepsNothing || judgement.PodReady.status === "True" ? judgement : { ...judgement, PodReady: verdict };
}

/** What is asked for comes last: a change that was refused long ago must not hide what keeps the instance from serving now. */
function failureOf(
  { judgement, blocked }: Findings,
  before: InstanceFailure | undefined,
  now: number,
): InstanceFailure | undefined {
  const faultOf = (type: JudgedCondition): Blocked | undefined => {
    const { failedStep, reason, message } = judgement[type];
    return failedStep && { step: failedStep, reason, message };
  };
  const inTheWay = blocked?.keepsNothing ? undefined : blocked;
  const faults = [inTheWay, ...[...SERVING, ...ASKED].map(faultOf), blocked];
  const culprit = faults.find((fault) => fault !== undefined);
  if (!culprit) return undefined;
  const same = before?.step === culprit.step && before.reason === culprit.reason;
  const message = shorten(culprit.message, WORDS_MAX);
  return { step: culprit.step, reason: culprit.reason, message, since: same ? before.since : timestamp(now) };
}

function judgeReady({ PodReady, GatewayReachable }: Judgement, failure: InstanceFailure | undefined): Verdict {
  const reason = Object.values(REASON).find((known) => known === failure?.reason);
  if (PodReady.status === "True" && GatewayReachable.status === "True") {
    const message = failure ? `The gateway serves, but: ${failure.message}` : "The gateway serves.";
    return { status: "True", reason: reason ?? REASON.AsExpected, message };
  }
  if (failure && reason) return { status: "False", reason, message: failure.message };
  const holding = PodReady.status === "True" ? GatewayReachable : PodReady;
  return holding.status === "Unknown" ? { ...unknown(holding.message, holding.reason), status: "False" } : holding;
}

function phaseOf(instance: OpenClawInstance, ready: Verdict, failure: InstanceFailure | undefined): Phase {
  if (ready.status === "True") return PHASE.Ready;
  if (failure) return PHASE.Failed;
  return isStopped(instance) && ready.reason === REASON.Stopped ? PHASE.Stopped : PHASE.Provisioning;
}

function isStopped(instance: OpenClawInstance): boolean {
  return instance.spec.runPolicy === "Stopped";
}
