import { type OpenClawClass, REASON, STEP } from "#crds/index.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { digest } from "../build/digest.ts";
import { runtimeImage } from "../build/pod.ts";
import type { RenderedConfig } from "./config.ts";
import { checkId, isCheckOf, planCheck, removeCheck } from "./config-check.ts";
import type { CheckFault, CheckReport } from "./config-checks.ts";
import { isSameRelease, isWorking, ownPod, type Release, releaseInForce, releaseOfPod } from "./release.ts";
import {
  attemptId,
  editRecord,
  forgetPrevious,
  forgetRollback,
  goBack,
  judgeTrial,
  previousRelease,
  remember,
  rolledBack,
  rolledBackVerdict,
} from "./trial.ts";
import { type Blocked, fails, unknown, type Verdict } from "./verdict.ts";
import type { View } from "./view.ts";
import type { Write } from "./write.ts";

/** Which image and configuration an instance is to run now. */
export interface ReleasePlan {
  /** What a pod is to be made from; undefined while there is nothing to make one from. */
  readonly release: Release | undefined;
  /** The configuration to be in the ConfigMap, for that image; undefined = it stays as it is. */
  readonly config: string | undefined;
  /** Whether a pod that runs gives way to one from that release. */
  readonly mayReplace: boolean;
  readonly configValid: Verdict;
  /** Before anything else is written ... */
  readonly before: readonly Write[];
  /** ... and once everything else is. */
  readonly after: readonly Write[];
  readonly check?: CheckReport | undefined;
  readonly blocked?: Blocked | undefined;
  /** Epoch milliseconds. */
  readonly wakeAt?: number | undefined;
}

/** How far the pod that is there may be changed. */
export interface ReleaseTurn {
  /** It serves, and has to wait for its turn in a rollout of the class. */
  readonly waits: boolean;
  /** Whether a pod is made from this release, and otherwise as its instance wants it. */
  readonly isMadeFrom: (pod: Pod, release: Release) => boolean;
}

/** Longest configuration (bytes) that a pod can carry to its check; all annotations together may have 256 KiB. */
const CHECKED_MAX_BYTES = 200_000;

/**
 * Chooses the release. Another one than that in force takes over at once where nothing runs that it could break, and else when
 * its own OpenClaw has checked it: until then, and for good if it is refused, all stays as it is. It is then on trial, and gone
 * back from, once, if its pod does not become ready. `now` in epoch milliseconds.
 */
export function planRelease(
  view: View,
  plan: OpenClawClass,
  { text, configValid }: RenderedConfig,
  turn: ReleaseTurn,
  now: number,
): ReleasePlan {
  const inForce = releaseInForce(view, plan);
  // A refused spec replaces no pod: it only gives back one that is missing.
  if (text === undefined) return { ...stay(inForce, configValid), after: removeCheck(view) };
  const wanted = { image: runtimeImage(view.instance, plan.spec), configDigest: digest(text) };
  const goOn: ReleasePlan = {
    release: wanted,
    config: text,
    mayReplace: true,
    configValid,
    before: editRecord(view, forgetRollback(view)),
    after: removeCheck(view),
  };
  // What runs may be of another release also where nobody knows any more of which: the ConfigMap was edited or deleted by hand.
  const pod = ownPod(view);
  if (!inForce && (!pod || isSameRelease(releaseOfPod(pod), wanted))) return goOn;
  if (rolledBack(view)?.from === attemptId(view.instance, wanted)) return keepPrevious(view, goOn, inForce);
  if (isSameRelease(inForce, wanted)) return onTrial(view, goOn, wanted, turn, now);
  // A container that restarts in place reads the configuration anew: what waits for its turn keeps the one of before.
  if (turn.waits) return { ...stay(inForce, configValid), before: goOn.before, after: [] };
  return changeOver(view, plan, goOn, { inForce, wanted, text }, now);
}

/** It worked before, or is checked before what works gives way to it. */
function changeOver(
  view: View,
  plan: OpenClawClass,
  goOn: ReleasePlan,
  { inForce, wanted, text }: { inForce: Release | undefined; wanted: Release; text: string },
  now: number,
): ReleasePlan {
  const forget = forgetRollback(view);
  const previous = previousRelease(view);
  if (isSameRelease(previous, wanted))
    return { ...goOn, before: editRecord(view, [...forget, ...forgetPrevious(view)]) };
  const kept = inForce && !previous && isWorking(view, now) ? remember(inForce) : [];
  const before = editRecord(view, [...forget, ...kept]);
  if (!needsCheck(view, wanted, text, now)) return { ...goOn, before };
  const { writes, blocked, wakeAt, ...check } = planCheck(view, plan, wanted, text, now);
  if (check.verdict?.passed) return { ...goOn, before, check };
  return {
    ...stay(inForce, verdictOf(check)),
    before: editRecord(view, forget),
    after: writes,
    check,
    blocked,
    wakeAt,
  };
}

function stay(release: Release | undefined, configValid: Verdict): Omit<ReleasePlan, "after"> {
  return { release, config: undefined, mayReplace: false, configValid, before: [] };
}

/** A check that is under way, or has found something, counts also when the pod it was made for is gone meanwhile. */
function needsCheck(view: View, wanted: Release, text: string, now: number): boolean {
  if (Buffer.byteLength(text) > CHECKED_MAX_BYTES || view.instance.spec.runPolicy === "Stopped") return false;
  return (
    isWorking(view, now) || isCheckOf(view, wanted) || view.checks.verdict(checkId(view, wanted))?.passed === false
  );
}

function onTrial(
  view: View,
  goOn: ReleasePlan,
  wanted: Release,
  { isMadeFrom }: ReleaseTurn,
  now: number,
): ReleasePlan {
  const pod = ownPod(view);
  const previous = previousRelease(view);
  if (!previous || !pod || !isMadeFrom(pod, wanted)) return goOn;
  const { passed, failure, failsAt } = judgeTrial(view, pod, now);
  if (passed) return { ...goOn, before: editRecord(view, [...forgetRollback(view), ...forgetPrevious(view)]) };
  if (failure === undefined) return { ...goOn, wakeAt: failsAt };
  const before = editRecord(view, goBack(view, previous, attemptId(view.instance, wanted), failure));
  return { ...goOn, release: previous, config: undefined, configValid: rolledBackVerdict(failure), before };
}

/** The wanted release had its trial. */
function keepPrevious(view: View, goOn: ReleasePlan, inForce: Release | undefined): ReleasePlan {
  const configValid = rolledBackVerdict(rolledBack(view)?.because ?? "");
  return { ...goOn, release: inForce, config: undefined, configValid, before: [] };
}

const STAYS = "What runs stays as it is.";

function verdictOf({ verdict, trouble }: CheckReport): Verdict {
  if (verdict?.passed === false) return rejected(verdict);
  if (!trouble) return unknown(`OpenClaw checks the changed image or configuration. ${STAYS}`, REASON.ConfigChecking);
  const message = `The changed image or configuration could not be checked: ${trouble.message} ${STAYS}`;
  return fails(STEP.Config, trouble.reason, message);
}

function rejected({ reason, message }: CheckFault): Verdict {
  const words = `OpenClaw refused the changed configuration: ${message} ${STAYS}`;
  return fails(STEP.Config, reason, `${words} Correct gateway.config of the instance or its class.`);
}
