import { REASON } from "#crds/index.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { CONTAINER } from "../build/pod.ts";
import { lastWords, type Terminated } from "./last-words.ts";
import { fault, type PodVerdict, starting } from "./pod-finding.ts";
import { startFaultOf } from "./start-fault.ts";

type ContainerStatus = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];

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

/** Node's own end when its heap is at its limit, which the kernel's limit does not show. */
const HEAP_WORDS = /JavaScript heap out of memory/;

/** The container of ours; a mesh or a policy may have put others beside it. */
export function containerStatus(pod: Pod): ContainerStatus | undefined {
  return pod.status?.containerStatuses?.find(({ name }) => name === CONTAINER);
}

/** Judges the container of a pod that has a node and is not ready. */
export function judgeContainer(pod: Pod): PodVerdict {
  const status = containerStatus(pod);
  const waiting = status?.state?.waiting;
  const waitsFor = waiting?.reason ?? "";
  if (IMAGE_FAULTS.has(waitsFor)) {
    return fault(
      "Starting",
      REASON.ImagePullFailed,
      `The image ${status?.image ?? ""} cannot be pulled: ${pullError(waiting?.message)} Check the image's name and the class's imagePullSecrets.`,
    );
  }
  if (CREATE_FAULTS.has(waitsFor)) {
    return fault(
      "Starting",
      REASON.ContainerCreateFailed,
      `The container cannot be made (${waitsFor}): ${waiting?.message ?? "the kubelet gave no reason"} \`kubectl describe pod\` shows more.`,
    );
  }
  // While it starts anew the last end is still why it is not ready; judging by both keeps the reason from flapping.
  const ended = status?.state?.terminated ?? status?.lastState?.terminated;
  if (ended && status) return judgeRestart(pod, ended, status.restartCount, waitsFor === "CrashLoopBackOff");
  return starting();
}

function judgeRestart(pod: Pod, ended: Terminated, restarts: number, backingOff: boolean): PodVerdict {
  if (ranOutOfMemory(ended)) return outOfMemory("NotReady", pod);
  const words = lastWords(ended);
  const cause = startFaultOf(ended.exitCode, ended.message ?? "");
  // A first end may be an accident; the kubelet starts it again by itself.
  const isFirst = !backingOff && restarts < 2;
  if (isFirst && (!cause || cause.mayPass)) return starting();
  if (cause) return fault("NotReady", cause.reason, `${cause.what}: ${words} ${cause.next}`);
  return fault(
    "NotReady",
    REASON.CrashLoop,
    `OpenClaw ends again and again (exit ${ended.exitCode}): ${words} \`kubectl logs --previous\` of the pod has the rest; it is started again with pauses of up to 5 min.`,
  );
}

/** True when memory ended the container: the kernel's limit, or that of its own heap. */
export function ranOutOfMemory({ reason, message }: Terminated): boolean {
  return reason === "OOMKilled" || HEAP_WORDS.test(message ?? "");
}

/** Nobody tells how much was used when the kernel stepped in, only that it was all there is. */
export function outOfMemory(stage: PodVerdict["stage"], pod: Pod): PodVerdict {
  const limit = pod.spec?.containers.find(({ name }) => name === CONTAINER)?.resources?.limits?.memory;
  const restarts = containerStatus(pod)?.restartCount ?? 0;
  const used = limit === undefined ? "more memory than it may" : `all of the ${limit} of memory it may`;
  const times = restarts > 1 ? ` It was started again ${restarts} times in this pod.` : "";
  return fault(
    stage,
    REASON.OutOfMemory,
    `OpenClaw used ${used} and was killed.${times} Raise resources.limits.memory of the class.`,
  );
}

/** The kubelet alternates between the error and a wrapping "Back-off" line; the error alone is what stays the same. */
function pullError(message: string | undefined): string {
  if (!message) return "the registry gave no reason.";
  return (
    message.replace(/^Back-off pulling image "[^"]*"(: ErrImagePull)?:? ?/, "") || "pulling it fails again and again."
  );
}
