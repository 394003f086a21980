import { MESSAGE_MAX, REASON, type Reason } from "#crds/index.ts";
import type { Pod } from "#lib/kube/resource.ts";

type ContainerStatus = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];
type Terminated = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;

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

/** OpenClaw's exit code for a configuration or start condition that trying again will not cure. */
const EXIT_CONFIG = 78;
/** Exit 78 also stands for a state directory it cannot use; those words tell it apart. */
const STATE_FAULT = /EACCES|ENOENT|EROFS|ENOSPC|Contention/;

/** The scheduler calls a pod unschedulable while its volume is still being made; only what lasts is a fault. */
const UNSCHEDULABLE_GRACE_MS = 10_000;

/** How long a container may be unready before that is called a fault. */
const LAPSE_GRACE_MS = 30_000;

/** How long making a container, or ending one, may take before that is called a fault. */
const STUCK_AFTER_MS = 300_000;

/** Reasons of a waiting container that need a person (or a registry) to do something. */
const IMAGE_FAULTS = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "InvalidImageName",
  "ErrImageNeverPull",
  "RegistryUnavailable",
  "ImageInspectError",
  "SignatureValidationFailed",
]);
const CREATE_FAULTS = new Set([
  "CreateContainerConfigError",
  "CreateContainerError",
  "PreCreateHookError",
  "PreStartHookError",
  "PostStartHookError",
  "RunContainerError",
]);

/** Judges a pod from its status alone. `now` in epoch milliseconds. */
export function judgePod(pod: Pod, now: number): PodVerdict {
  const { deletionTimestamp } = pod.metadata;
  if (deletionTimestamp) return judgeTerminating(deletionTimestamp, pod.spec?.nodeName, now);
  const phase = pod.status?.phase;
  if (phase === "Failed" || phase === "Succeeded") return judgeEnded(pod);
  if (isReady(pod)) return { stage: "Ready", reason: REASON.AsExpected, message: "The pod is ready.", failed: false };
  return (
    judgeUnscheduled(pod, now) ?? judgeLapse(pod, now) ?? judgeCreating(pod, now) ?? judgeContainer(container(pod))
  );
}

/** The apiserver sets the deletion timestamp to when the pod's own time to end is over. Only its node can say that it ended. */
function judgeTerminating(deletionTimestamp: string, node: string | undefined, now: number): PodVerdict {
  const failsAt = Date.parse(deletionTimestamp) + STUCK_AFTER_MS;
  if (now < failsAt) {
    const message = "The pod is ending; its replacement waits for that.";
    return { ...onTheWay("Terminating", REASON.PodTerminating, message), failsAt };
  }
  const message = `The pod should have ended by ${deletionTimestamp} and its node ${node ?? ""} does not say that it did; its replacement waits, as two must not write to one volume. Look at \`kubectl get node ${node ?? ""}\`; if the machine is surely off, taint the node with node.kubernetes.io/out-of-service or delete it.`;
  return fault("Terminating", REASON.NodeLost, message);
}

/** A container that the kubelet makes for long: it waits for something of the node, such as a volume, the network or a pull. */
function judgeCreating(pod: Pod, now: number): PodVerdict | undefined {
  const status = container(pod);
  const ended = status?.state?.terminated ?? status?.lastState?.terminated;
  if (ended || status?.state?.waiting?.reason !== "ContainerCreating") return undefined;
  // From when it got its node, not from when it began to wait for one.
  const scheduled = pod.status?.conditions?.find(({ type, status: is }) => type === "PodScheduled" && is === "True");
  const since = scheduled?.lastTransitionTime ?? pod.metadata.creationTimestamp ?? "";
  const failsAt = Date.parse(since) + STUCK_AFTER_MS;
  if (Number.isNaN(failsAt)) return undefined;
  if (now < failsAt) return { ...starting(), failsAt };
  const message =
    "The container is still not made: its node attaches the volume, sets up the network or pulls the image. `kubectl describe pod` shows at which it stays.";
  return fault("Starting", REASON.ContainerCreateFailed, message);
}

function container(pod: Pod): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.[0];
}

/** A container that was ready and is so no more. The kubelet restarts it if it stays like that, so a short lapse is no fault. */
function judgeLapse(pod: Pod, now: number): PodVerdict | undefined {
  const running = pod.status?.containerStatuses?.[0]?.state?.running;
  const lostAt = Date.parse(pod.status?.conditions?.find(({ type }) => type === "Ready")?.lastTransitionTime ?? "");
  const startedAt = Date.parse(running?.startedAt ?? "");
  if (!(lostAt > startedAt)) return undefined;
  const message = "OpenClaw runs and its readiness probe fails; `kubectl logs` of the pod may say why.";
  const failsAt = lostAt + LAPSE_GRACE_MS;
  if (now >= failsAt) return fault("NotReady", REASON.PodNotReady, message);
  return { ...onTheWay("NotReady", REASON.PodNotReady, message), failsAt };
}

/** True when the kubelet found the pod's readiness probe passing. */
export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

function judgeEnded(pod: Pod): PodVerdict {
  const { reason, message, containerStatuses } = pod.status ?? {};
  const terminated = containerStatuses?.[0]?.state?.terminated;
  const said = message ?? (terminated ? lastWords(terminated) : "it gave no reason");
  if (reason === "Evicted") {
    return fault(
      "Ended",
      REASON.Evicted,
      `The kubelet evicted the pod: ${said} A new one takes its place, with the same volume.`,
    );
  }
  if (terminated?.reason === "OOMKilled") return outOfMemory("Ended");
  if (reason === "NodeLost" || reason === "NodeShutdown" || reason === "Terminated") {
    return fault(
      "Ended",
      REASON.NodeLost,
      `The node ended the pod (${reason}): ${said} A new one takes its place, with the same volume.`,
    );
  }
  return fault(
    "Ended",
    REASON.PodFailed,
    `The pod ended (${reason ?? "no reason"}): ${said} A new one takes its place, with the same volume.`,
  );
}

function judgeUnscheduled(pod: Pod, now: number): PodVerdict | undefined {
  const scheduled = pod.status?.conditions?.find(({ type }) => type === "PodScheduled");
  if (scheduled?.status !== "False" || scheduled.reason !== "Unschedulable") return undefined;
  const since = Date.parse(scheduled.lastTransitionTime ?? pod.metadata.creationTimestamp ?? "");
  const failsAt = (Number.isNaN(since) ? now : since) + UNSCHEDULABLE_GRACE_MS;
  const message = `No node can take the pod: ${scheduled.message ?? "the scheduler gave no reason"} Add room, or change the class's resources or scheduling.`;
  if (now >= failsAt) return fault("Starting", REASON.Unschedulable, message);
  return { ...starting(), failsAt };
}

function judgeContainer(container: ContainerStatus | undefined): PodVerdict {
  const waiting = container?.state?.waiting;
  const waitsFor = waiting?.reason ?? "";
  if (IMAGE_FAULTS.has(waitsFor)) {
    return fault(
      "Starting",
      REASON.ImagePullFailed,
      `The image ${container?.image ?? ""} cannot be pulled: ${pullError(waiting?.message)} Check the image's name and the class's imagePullSecrets.`,
    );
  }
  if (CREATE_FAULTS.has(waitsFor)) {
    return fault(
      "Starting",
      REASON.ContainerCreateFailed,
      `The container cannot be made (${waitsFor}): ${waiting?.message ?? "the kubelet gave no reason"}`,
    );
  }
  // While it starts anew the last end is still why it is not ready; judging by both keeps the reason from flapping.
  const ended = container?.state?.terminated ?? container?.lastState?.terminated;
  if (ended && container) return judgeRestart(ended, waitsFor === "CrashLoopBackOff", container);
  return starting();
}

function judgeRestart(ended: Terminated, backingOff: boolean, container: ContainerStatus): PodVerdict {
  if (ended.reason === "OOMKilled") return outOfMemory("NotReady");
  const words = lastWords(ended);
  if (ended.exitCode === EXIT_CONFIG && !STATE_FAULT.test(words)) {
    return fault(
      "NotReady",
      REASON.ConfigRejected,
      `OpenClaw refused its configuration: ${words} Correct gateway.config of the instance or its class.`,
    );
  }
  // A first end may be an accident; the kubelet starts it again by itself.
  if (!backingOff && container.restartCount < 2) return starting();
  return fault("NotReady", REASON.CrashLoop, `OpenClaw ends again and again (exit ${ended.exitCode}): ${words}`);
}

function outOfMemory(stage: PodVerdict["stage"]): PodVerdict {
  return fault(
    stage,
    REASON.OutOfMemory,
    "OpenClaw used more memory than its limit and was killed. Raise the memory limit of the class.",
  );
}

function starting(): PodVerdict {
  return onTheWay("Starting", REASON.PodStarting, "The pod is starting.");
}

function onTheWay(stage: PodVerdict["stage"], reason: Reason, message: string): PodVerdict {
  return { stage, reason, message, failed: false };
}

function fault(stage: PodVerdict["stage"], reason: Reason, message: string): PodVerdict {
  return { stage, reason, message: message.slice(0, MESSAGE_MAX), failed: true };
}

/** The kubelet alternates between the error and a wrapping "Back-off" line; the error alone is what stays the same. */
function pullError(message: string | undefined): string {
  if (!message) return "the registry gave no reason.";
  return (
    message.replace(/^Back-off pulling image "[^"]*"(: ErrImagePull)?:? ?/, "") || "pulling it fails again and again."
  );
}

/** How much of a log is a reason and not a story. */
const WORDS_MAX = 1000;

/** How much of a container's log the kubelet keeps (bytes): the first line of that much is seldom whole. */
const KEPT_BYTES = 2048;

/** The end of what a container said: plain lines, and of its JSON log lines the messages of those that tell of trouble. */
export function lastWords(terminated: Terminated): string {
  const said = terminated.message ?? "";
  const lines = said.split("\n");
  if (Buffer.byteLength(said) >= KEPT_BYTES) lines.shift();
  const words = lines
    .map(wordsOf)
    .filter((line) => line !== "")
    .slice(-5)
    .join(" | ");
  return words === ""
    ? `it said nothing (${terminated.reason ?? `exit ${terminated.exitCode}`}).`
    : words.slice(-WORDS_MAX);
}

/** Conversations are logged below `warn`, and a status is read by more people than a log. */
function wordsOf(line: string): string {
  const text = line.trim();
  if (!text.startsWith("{") && !text.endsWith("}")) return text;
  try {
    const { level, message } = JSON.parse(text) as { level?: unknown; message?: unknown };
    return typeof message === "string" && TROUBLE.has(String(level).toLowerCase()) ? message.trim() : "";
  } catch {
    // Part of a JSON line: what it told of cannot be known.
    return "";
  }
}

const TROUBLE: ReadonlySet<string> = new Set(["warn", "warning", "error", "fatal"]);
