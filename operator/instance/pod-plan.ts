import { type InstanceDrain, REASON, REPLACED_BY_ITSELF, STEP } from "#crds/index.ts";
import { PODS, type Pod } from "#lib/kube/resource.ts";
import { nameTaken } from "./blocked.ts";
import { planDrain } from "./drain.ts";
import { isMisfit } from "./gateway.ts";
import { isSurelyGone } from "./node-state.ts";
import { outdatedBy } from "./outdated.ts";
import { standingOf } from "./ownership.ts";
import { stepOf } from "./pod-finding.ts";
import { judgePod, type PodVerdict } from "./pod-verdict.ts";
import { type Blocked, fails, holds, unknown, type Verdict, waits } from "./verdict.ts";
import type { View } from "./view.ts";
import { type Write, write } from "./write.ts";

/** A pod's time and a failure's are two clocks' words, in whole seconds. */
const SKEW_MS = 5_000;

const WAITS = "The pod waits for what it is built from.";

/** What is to be done about the pod. */
export interface PodPlan {
  readonly writes: readonly Write[];
  readonly verdict: Verdict;
  readonly blocked?: Blocked | undefined;
  readonly wakeAt?: number | undefined;
  /** The pod is to go, and finishes its work before. */
  readonly drain?: InstanceDrain | undefined;
  /** The pod goes on as it is. */
  readonly stays?: boolean;
}

/**
 * Keeps the one pod an instance wants. `wanted` is undefined while none can be built; a pod that runs then goes on.
 * A pod is never changed, only deleted and created; the name is free only when the old one is gone. `mayReplace` is false
 * while one that runs is to stay although it is outdated.
 */
export function planPod(view: View, wanted: Pod | undefined, now: number, mayReplace: boolean): PodPlan {
  const { instance, pod } = view;
  const standing = standingOf(pod, instance);
  const stopped = instance.spec.runPolicy === "Stopped";
  if (standing === "taken" && !stopped) {
    const verdict = unknown("The pod's name is taken.");
    return { writes: [], verdict, blocked: nameTaken(STEP.Pod, PODS.kind, pod?.metadata.name ?? "") };
  }
  if (standing === "leaving") return { writes: [], verdict: waits(REASON.PodTerminating, "An earlier pod is ending.") };
  const ours = standing === "ours" ? pod : undefined;
  if (stopped) return planStopped(view, ours, now);
  return ours ? planExisting(view, ours, wanted, now, mayReplace) : planAbsent(view, wanted, now);
}

function planStopped(view: View, pod: Pod | undefined, now: number): PodPlan {
  if (!pod) {
    return { writes: [], verdict: waits(REASON.Stopped, "runPolicy is Stopped: there is no pod, the volume is kept.") };
  }
  const judged = judgePod(pod, now, view.node);
  if (judged.stage === "Terminating" && judged.failed) return { writes: [], verdict: verdictOf(judged) };
  const message = "The pod is ending because runPolicy is Stopped.";
  if (judged.stage !== "Terminating" && judged.stage !== "Ended") return retire(view, pod, now, message, remove(pod));
  return { writes: end(view, pod, now), verdict: waits(REASON.PodTerminating, message, judged.failsAt) };
}

/** Ends a pod that runs, by these writes, once its gateway has nothing to finish. */
function retire(view: View, pod: Pod, now: number, message: string, writes: Write[]): PodPlan {
  const drain = planDrain(view, pod, now);
  if (!drain) return { writes, verdict: waits(REASON.PodTerminating, message) };
  const told = `${message} Running work may finish until ${drain.until}; no new work is taken.`;
  return { writes: [], verdict: waits(REASON.Draining, told), drain, wakeAt: Date.parse(drain.until) };
}

function planAbsent(view: View, wanted: Pod | undefined, now: number): PodPlan {
  if (!wanted) return { writes: [], verdict: unknown(WAITS) };
  const verdict = toldUntilReady(view, waits(REASON.PodStarting, "The pod is being made."));
  if (view.replaceAfter !== undefined && now < view.replaceAfter)
    return { writes: [], verdict, wakeAt: view.replaceAfter };
  return { writes: [create(wanted)], verdict };
}

function planExisting(view: View, pod: Pod, wanted: Pod | undefined, now: number, mayReplace: boolean): PodPlan {
  const judged = judgePod(pod, now, view.node);
  const verdict = toldUntilReady(view, verdictOf(judged));
  if (judged.stage === "Terminating") return { writes: [], verdict };
  if (judged.stage === "Ended") {
    // What it was is of more use than nothing.
    if (!wanted) return { writes: [], verdict: waits(judged.reason, `${judged.message} ${WAITS}`) };
    const mayCreate = view.replaceAfter === undefined || now >= view.replaceAfter;
    // The apiserver deletes an ended pod at once, so the name is free for the next request.
    if (mayCreate) return { writes: [...end(view, pod, now), create(wanted)], verdict };
    return { writes: end(view, pod, now), verdict, wakeAt: view.replaceAfter };
  }
  if (wanted && isMisfit(view)) return planMisfit(view, pod, wanted, now);
  if (!wanted || !mayReplace || !outdatedBy(view.instance, pod, wanted)) return { writes: [], verdict, stays: true };
  const message = "The pod ends to make room for one built from the current spec.";
  return retire(view, pod, now, message, replace(pod, wanted));
}

/** Not drained: it takes none of our calls. */
function planMisfit(view: View, pod: Pod, wanted: Pod, now: number): PodPlan {
  const message = "The pod runs with credentials that are no more; a new one takes its place, with the same volume.";
  const verdict = fails(STEP.Gateway, REASON.GatewayUnauthorized, message);
  if (view.replaceAfter !== undefined && now < view.replaceAfter)
    return { writes: [], verdict, stays: true, wakeAt: view.replaceAfter };
  return { writes: replace(pod, wanted), verdict };
}

function verdictOf(judged: PodVerdict): Verdict {
  if (judged.stage === "Ready") return holds(judged.message);
  if (judged.failed) return fails(stepOf(judged.reason), judged.reason, judged.message);
  return waits(judged.reason, judged.message, judged.failsAt);
}

function toldUntilReady({ instance, pod, node }: View, verdict: Verdict): Verdict {
  const told = instance.status?.failure;
  if (verdict.status === "True" || verdict.failedStep || !told || !REPLACED_BY_ITSELF.has(told.reason)) return verdict;
  // Of this very pod it holds no more: its node is back.
  if (pod && !node && Date.parse(pod.metadata.creationTimestamp ?? "") < Date.parse(told.since) - SKEW_MS)
    return verdict;
  const reason = Object.values(REASON).find((known) => known === told.reason) ?? REASON.PodFailed;
  return {
    ...fails(told.step, reason, told.message),
    ...(verdict.failsAt === undefined ? {} : { failsAt: verdict.failsAt }),
  };
}

function create(body: Pod): Write {
  return write({ verb: "create", step: STEP.Pod, type: PODS, body });
}

/** What went with its node nobody else will remove, also when its deletion was asked for before. */
function end({ node }: View, pod: Pod, now: number): Write[] {
  if (!isSurelyGone(node, now)) return remove(pod);
  return [write({ verb: "delete", step: STEP.Pod, type: PODS, live: pod, force: "nodeGone" })];
}

/** A pod without a node has no process to wait for: it is gone at once, and its name free for the next request. */
function replace(pod: Pod, wanted: Pod): Write[] {
  return pod.spec?.nodeName ? remove(pod) : [...remove(pod), create(wanted)];
}

function remove(pod: Pod): Write[] {
  return pod.metadata.deletionTimestamp ? [] : [write({ verb: "delete", step: STEP.Pod, type: PODS, live: pod })];
}
