import { ANNOTATION, type OpenClawClass, REASON, STEP } from "#crds/index.ts";
import { PODS, type Pod } from "#lib/kube/resource.ts";
import { objectKey } from "#lib/kube/types.ts";
import { buildCheckPod } from "../build/check-pod.ts";
import { digest } from "../build/digest.ts";
import { nameTaken } from "./blocked.ts";
import type { CheckFault, CheckReport, CheckVerdict } from "./config-checks.ts";
import { containerStatus } from "./container-verdict.ts";
import { lastWords } from "./last-words.ts";
import { standingOf } from "./ownership.ts";
import { judgePod } from "./pod-verdict.ts";
import type { Release } from "./release.ts";
import type { Blocked } from "./verdict.ts";
import type { View } from "./view.ts";
import { type Write, write } from "./write.ts";

/** What is to be done about a check. */
export interface CheckPlan extends CheckReport {
  readonly writes: readonly Write[];
  readonly blocked?: Blocked | undefined;
  /** Epoch milliseconds. */
  readonly wakeAt?: number | undefined;
}

/** A check that could not be made is tried again this long after its pod was created. */
const RETRY_MS = 900_000;

/** How a container ends that never ran: the image has no such command, or the runtime could not make it. */
const NEVER_RAN = new Set(["StartError", "ContainerCannotRun", "ContainerStatusUnknown"]);
/** What OpenClaw advises somebody who sits in front of it. */
const ADVICE = / \| (Run `openclaw|Inspect with openclaw).*?(?= \| |$)/g;
/** Exit codes above this are signals. */
const EXIT_MAX = 127;

/** Names what is checked. Pull secrets and quotas are a namespace's, so each namespace checks for itself. */
export function checkId({ instance }: View, { image, configDigest }: Release): string {
  return digest([instance.metadata.namespace, image, configDigest].join("\n"));
}

/** True when this instance's own check is of this release. */
export function isCheckOf(view: View, { image, configDigest }: Release): boolean {
  const { checkPod: pod, instance } = view;
  if (!pod || standingOf(pod, instance) !== "ours" || pod.metadata.deletionTimestamp) return false;
  const is = pod.metadata.annotations?.[ANNOTATION.configDigest];
  return is === configDigest && pod.spec?.containers[0]?.image === image;
}

/**
 * Has a release checked by its own OpenClaw, in a pod of its own that is the lasting record of what it found. Instances with
 * the same release wait for the first one's. `now` in epoch milliseconds.
 */
export function planCheck(view: View, plan: OpenClawClass, release: Release, config: string, now: number): CheckPlan {
  const id = checkId(view, release);
  const known = view.checks.verdict(id);
  if (known) return { id, runs: false, verdict: known, writes: [] };
  const { checkPod: pod, instance } = view;
  const own = isCheckOf(view, release) ? pod : undefined;
  const runner = view.checks.runner(id);
  if (!own && runner && runner.key !== objectKey(instance)) {
    return { id, runs: false, trouble: runner.trouble, writes: [] };
  }
  const create = write({
    verb: "create",
    step: STEP.Config,
    type: PODS,
    body: buildCheckPod(instance, plan, release.image, config),
  });
  if (own) return { id, runs: true, ...judgeCheck(own, create, now) };
  const standing = standingOf(pod, instance);
  if (standing === "taken") {
    const blocked = nameTaken(STEP.Config, PODS.kind, pod?.metadata.name ?? "");
    return { id, runs: true, writes: [], blocked: { ...blocked, keepsNothing: true } };
  }
  // An earlier check: its name is free once it is gone, at once if it does not run.
  if (!pod) return { id, runs: true, writes: [create] };
  if (standing !== "ours") return { id, runs: true, writes: [] };
  if (pod.metadata.deletionTimestamp) return { id, runs: true, ...outlast(pod, create, now) };
  return { id, runs: true, writes: [...removeCheck(view), ...(isGoneAtOnce(pod) ? [create] : [])] };
}

/** Removes the pod of a check that nobody needs any more. */
export function removeCheck({ checkPod: pod, instance }: View): Write[] {
  if (!pod || pod.metadata.deletionTimestamp || standingOf(pod, instance) !== "ours") return [];
  return [write({ verb: "delete", step: STEP.Config, type: PODS, live: pod })];
}

function isGoneAtOnce(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return phase === "Succeeded" || phase === "Failed" || !pod.spec?.nodeName;
}

/** Its node may be lost. It has no volume, so another may be made while it runs somewhere still. */
function outlast(pod: Pod, create: Write, now: number): Pick<CheckPlan, "writes" | "wakeAt"> {
  const { failed, failsAt } = judgePod(pod, now);
  if (!failed) return { writes: [], wakeAt: failsAt };
  const remove = write({ verb: "delete", step: STEP.Config, type: PODS, live: pod, force: "harmless" });
  return { writes: [remove, create] };
}

function judgeCheck(pod: Pod, again: Write, now: number): Omit<CheckPlan, "id" | "runs"> {
  if (pod.status?.phase === "Succeeded") return { verdict: { passed: true }, writes: [] };
  const judged = judgePod(pod, now);
  if (judged.stage !== "Ended") {
    const trouble = judged.failed ? judged : undefined;
    return { trouble, writes: [], wakeAt: judged.failsAt };
  }
  const refusal = refusalOf(pod);
  if (refusal) return { verdict: refusal, writes: [] };
  const retryAt = Date.parse(pod.metadata.creationTimestamp ?? "") + RETRY_MS;
  const remove = write({ verb: "delete", step: STEP.Config, type: PODS, live: pod });
  return { trouble: endOf(pod), ...(now < retryAt ? { writes: [], wakeAt: retryAt } : { writes: [remove, again] }) };
}

/** OpenClaw ran to its end and said no; undefined when something else ended it. */
function refusalOf(pod: Pod): CheckVerdict | undefined {
  const ended = containerStatus(pod)?.state?.terminated;
  if (!ended || pod.status?.reason !== undefined) return undefined;
  if (ended.reason === "OOMKilled" || NEVER_RAN.has(ended.reason ?? "") || ended.exitCode > EXIT_MAX) return undefined;
  return { passed: false, reason: REASON.ConfigRejected, message: lastWords(ended).replaceAll(ADVICE, "") };
}

function endOf(pod: Pod): CheckFault {
  const { reason, message } = pod.status ?? {};
  const ended = containerStatus(pod)?.state?.terminated;
  if (ended?.reason === "OOMKilled") {
    return { reason: REASON.OutOfMemory, message: "it used more memory than the class's limit." };
  }
  const words = message ?? (ended ? lastWords(ended) : "it gave no reason.");
  return { reason: REASON.CheckFailed, message: `its pod ended (${reason ?? ended?.reason ?? "no reason"}): ${words}` };
}
