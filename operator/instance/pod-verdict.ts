import { REASON } from "#crds/index.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { containerStatus, judgeContainer, outOfMemory, ranOutOfMemory } from "./container-verdict.ts";
import { lastWords } from "./last-words.ts";
import { judgeNode, type NodeState, whatToDo } from "./node-state.ts";
import { fault, onTheWay, type PodVerdict, starting } from "./pod-finding.ts";

export type { PodVerdict } from "./pod-finding.ts";

/** The scheduler calls a pod unschedulable while its volume is still being made; only what lasts is a fault. */
const UNSCHEDULABLE_GRACE_MS = 10_000;

/** How long a container may be unready before that is called a fault. */
const LAPSE_GRACE_MS = 30_000;

/** How long making a container, ending one, or waiting for a scheduler may take before that is called a fault. */
const STUCK_AFTER_MS = 300_000;

/** Judges a pod from its own status and what is known of its node. `now` in epoch milliseconds. */
export function judgePod(pod: Pod, now: number, node?: NodeState): PodVerdict {
  const { deletionTimestamp } = pod.metadata;
  const lost = node && judgeNode(node, now, deletionTimestamp ? "Terminating" : "NotReady");
  if (hasEnded(pod) && !deletionTimestamp) return judgeEnded(pod);
  if (lost?.failed) return lost;
  if (deletionTimestamp) return sooner(judgeTerminating(deletionTimestamp, pod.spec?.nodeName, now), lost);
  if (isReady(pod)) return { stage: "Ready", reason: REASON.AsExpected, message: "The pod is ready.", failed: false };
  return judgeUnscheduled(pod, now) ?? lost ?? judgeLapse(pod, now) ?? judgeCreating(pod, now) ?? judgeContainer(pod);
}

function hasEnded(pod: Pod): boolean {
  return pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded";
}

/** One that ends is looked at again when its node counts as lost, if that is before its time is over. */
function sooner(ending: PodVerdict, lost: PodVerdict | undefined): PodVerdict {
  const times = [ending.failsAt, lost?.failsAt].filter((time) => time !== undefined);
  return ending.failed || times.length === 0 ? ending : { ...ending, failsAt: Math.min(...times) };
}

/** The apiserver sets the deletion timestamp to when the pod's own time to end is over. Only its node can say that it ended. */
function judgeTerminating(deletionTimestamp: string, node: string | undefined, now: number): PodVerdict {
  const failsAt = Date.parse(deletionTimestamp) + STUCK_AFTER_MS;
  if (now < failsAt) {
    const message = "The pod is ending; its replacement waits for that.";
    return { ...onTheWay("Terminating", REASON.PodTerminating, message), failsAt };
  }
  const message = `The pod should have ended by ${deletionTimestamp} and is still there: \`kubectl describe pod\` shows a finalizer or a volume that holds it up. ${whatToDo(node)}`;
  return fault("Terminating", REASON.PodTerminating, message);
}

/** A pod that its node does not begin with, or whose container it makes for long: it waits for a volume, the network or a pull. */
function judgeCreating(pod: Pod, now: number): PodVerdict | undefined {
  const status = containerStatus(pod);
  const { running, terminated, waiting } = status?.state ?? {};
  if (running || terminated || status?.lastState?.terminated || !BEING_MADE.has(waiting?.reason)) return undefined;
  // From when it got its node, not from when it began to wait for one.
  const scheduled = conditionOf(pod, "PodScheduled");
  const since = scheduled?.status === "True" ? scheduled.lastTransitionTime : undefined;
  const message = status
    ? "The container is still not made: its node attaches the volume, sets up the network or pulls the image. `kubectl describe pod` shows at which it stays."
    : `The node ${pod.spec?.nodeName ?? ""} has not begun with the pod. Look at \`kubectl describe node\` and at the log of its kubelet; restartedAt has a new pod made.`;
  const late = fault("Starting", REASON.ContainerCreateFailed, message);
  return lateSince(since ?? pod.metadata.creationTimestamp, STUCK_AFTER_MS, late, now);
}

/** Reasons of a container that waits before it is made for the first time. */
const BEING_MADE: ReadonlySet<string | undefined> = new Set(["ContainerCreating", "PodInitializing", undefined]);

/** A start on its way, which is a fault once it took this long. */
function lateSince(since: string | undefined, graceMs: number, late: PodVerdict, now: number): PodVerdict {
  const failsAt = Date.parse(since ?? "") + graceMs;
  if (Number.isNaN(failsAt)) return starting();
  return now >= failsAt ? late : { ...starting(), failsAt };
}

function conditionOf(pod: Pod, wanted: string) {
  return pod.status?.conditions?.find(({ type }) => type === wanted);
}

/** A container that was ready and is so no more. The kubelet restarts it if it stays like that, so a short lapse is no fault. */
function judgeLapse(pod: Pod, now: number): PodVerdict | undefined {
  const running = containerStatus(pod)?.state?.running;
  const lostAt = Date.parse(conditionOf(pod, "Ready")?.lastTransitionTime ?? "");
  const startedAt = Date.parse(running?.startedAt ?? "");
  if (!(lostAt > startedAt)) return undefined;
  const message = "OpenClaw runs and its readiness probe fails; `kubectl logs` of the pod may say why.";
  const failsAt = lostAt + LAPSE_GRACE_MS;
  if (now >= failsAt) return fault("NotReady", REASON.PodNotReady, message);
  return { ...onTheWay("NotReady", REASON.PodNotReady, message), failsAt };
}

/** True when the kubelet found the pod's readiness probe passing. */
export function isReady(pod: Pod): boolean {
  return conditionOf(pod, "Ready")?.status === "True";
}

const REPLACED = "A new one takes its place, with the same volume.";

function judgeEnded(pod: Pod): PodVerdict {
  const { phase, reason, message } = pod.status ?? {};
  if (phase === "Succeeded" && !reason) return judgeCompleted(pod);
  const terminated = containerStatus(pod)?.state?.terminated;
  const said = message ?? (terminated ? lastWords(terminated) : "it gave no reason");
  if (reason === "Evicted") {
    return fault("Ended", REASON.Evicted, `The kubelet evicted the pod: ${said} ${REPLACED}`);
  }
  if (terminated && ranOutOfMemory(terminated)) return outOfMemory("Ended", pod);
  if (reason === "NodeLost" || reason === "NodeShutdown" || reason === "Terminated") {
    return fault("Ended", REASON.NodeLost, `The node ended the pod (${reason}): ${said} ${REPLACED}`);
  }
  return fault("Ended", REASON.PodFailed, `The pod ended (${reason ?? "no reason"}): ${said} ${REPLACED}`);
}

/**
 * The pod is of a kind that only its kubelet ends. When OpenClaw then goes in good order and exits with 0, Kubernetes calls that
 * a success and forgets the kubelet's reason; a condition is left where the node itself was short of something or shut down.
 */
function judgeCompleted(pod: Pod): PodVerdict {
  const { message } = conditionOf(pod, "DisruptionTarget") ?? {};
  const shutDown = /node shutdown/.test(message ?? "");
  const words =
    message ??
    "its status does not say why, as when it is over a limit of its local storage; see `kubectl get events`.";
  return fault("Ended", shutDown ? REASON.NodeLost : REASON.Evicted, `The kubelet ended the pod: ${words} ${REPLACED}`);
}

function judgeUnscheduled(pod: Pod, now: number): PodVerdict | undefined {
  if (pod.spec?.nodeName || containerStatus(pod)) return undefined;
  const scheduled = conditionOf(pod, "PodScheduled");
  const { graceMs, message } = whyUnscheduled(scheduled, pod.metadata.name);
  const late = fault("Starting", REASON.Unschedulable, message);
  return lateSince(scheduled?.lastTransitionTime ?? pod.metadata.creationTimestamp, graceMs, late, now);
}

function whyUnscheduled(scheduled: ReturnType<typeof conditionOf>, name: string): { graceMs: number; message: string } {
  const ask = (field: string) => `\`kubectl get pod ${name} -o jsonpath='{.spec.${field}}'\``;
  if (!scheduled) {
    const message = `No scheduler has looked at the pod. See that the one it names runs: ${ask("schedulerName")}.`;
    return { graceMs: STUCK_AFTER_MS, message };
  }
  if (scheduled.reason === "SchedulingGated") {
    const message = `The pod is held back by scheduling gates until whoever set them lifts them: ${ask("schedulingGates")}.`;
    return { graceMs: STUCK_AFTER_MS, message };
  }
  const message = `No node can take the pod: ${scheduled.message ?? "the scheduler gave no reason."} Add room, or change the class's resources or scheduling.`;
  return { graceMs: UNSCHEDULABLE_GRACE_MS, message };
}
