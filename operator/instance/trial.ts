import { ANNOTATION, type OpenClawInstance, REASON, type Reason, STEP } from "#crds/index.ts";
import type { JsonPatchOperation } from "#lib/kube/client.ts";
import { CONFIG_MAPS, type ConfigMap, type Pod } from "#lib/kube/resource.ts";
import { shorten } from "#lib/shorten.ts";
import { CONFIG_FILE, PREVIOUS_FILE } from "../build/config-map.ts";
import { digest } from "../build/digest.ts";
import { standingOf } from "./ownership.ts";
import { judgePod } from "./pod-verdict.ts";
import type { Release } from "./release.ts";
import { fails, type Verdict } from "./verdict.ts";
import type { View } from "./view.ts";
import { type Write, write } from "./write.ts";

/*
 * A release that takes the place of one that worked is on trial until a pod of it is ready. The ConfigMap is the record: it
 * keeps the release to go back to, and afterwards why it was gone back to. Its texts are copied by the apiserver, inside the
 * object; the operator neither reads nor holds them.
 */

/** Upstream's own budget for a start, from when the pod got its node. */
const START_BUDGET_MS = 300_000;
/** A registry may hiccup, at the first try too. */
const PULL_BUDGET_MS = 60_000;

/** Ends of a start that are the release's doing, and how long after they were first told they are taken for that. */
const BUDGETS: Readonly<Partial<Record<Reason, number>>> = {
  [REASON.ConfigRejected]: 0,
  [REASON.StateUnusable]: 0,
  [REASON.CrashLoop]: 0,
  [REASON.ContainerCreateFailed]: 0,
  [REASON.ImagePullFailed]: PULL_BUDGET_MS,
};

/** Longest reason that is kept. */
const BECAUSE_MAX = 2_000;

/** Names a release as its instance asks for it: another value of `restartedAt` asks once more. */
export function attemptId({ spec }: OpenClawInstance, { image, configDigest }: Release): string {
  return digest([image, configDigest, spec.restartedAt ?? ""].join("\n"));
}

/** The release to go back to; undefined when none is on trial, or when what is there is not what was kept. */
export function previousRelease(view: View): Release | undefined {
  const map = ownConfigMap(view);
  const { [ANNOTATION.previousImage]: image, [ANNOTATION.previousConfigDigest]: configDigest } =
    map?.metadata.annotations ?? {};
  if (image === undefined || configDigest === undefined) return undefined;
  return map?.data?.[PREVIOUS_FILE] === configDigest ? { image, configDigest } : undefined;
}

/** The attempt that was gone back from, and why. */
export function rolledBack(view: View): { readonly from: string; readonly because: string } | undefined {
  const { [ANNOTATION.rolledBackFrom]: from, [ANNOTATION.rolledBackBecause]: because = "" } =
    ownConfigMap(view)?.metadata.annotations ?? {};
  return from === undefined ? undefined : { from, because };
}

/** Changes the record, at one stroke; nothing to change is no write. */
export function editRecord(view: View, operations: readonly JsonPatchOperation[]): Write[] {
  const live = ownConfigMap(view);
  if (!live || operations.length === 0) return [];
  return [write({ verb: "edit", step: STEP.Config, type: CONFIG_MAPS, live, operations })];
}

/** Keeps the release in force as the one to go back to. */
export function remember({ image, configDigest }: Release): JsonPatchOperation[] {
  return [
    { op: "copy", from: file(CONFIG_FILE), path: file(PREVIOUS_FILE) },
    ...annotate({ previousImage: image, previousConfigDigest: configDigest }),
  ];
}

/** Goes back to the release of before, and keeps why. */
export function goBack(view: View, previous: Release, attempt: string, because: string): JsonPatchOperation[] {
  const { image, configDigest } = previous;
  return [
    { op: "copy", from: file(PREVIOUS_FILE), path: file(CONFIG_FILE) },
    ...annotate({ image, configDigest, rolledBackFrom: attempt, rolledBackBecause: shorten(because, BECAUSE_MAX) }),
    ...forgetPrevious(view),
    // What is there is no longer what was applied: the next apply is a change, and puts nothing back.
    ...dropAnnotations(view, ["appliedHash"]),
  ];
}

/** Lets go of the release to go back to: the one on trial works, or is that one. */
export function forgetPrevious(view: View): JsonPatchOperation[] {
  const files = ownConfigMap(view)?.data?.[PREVIOUS_FILE] === undefined ? [] : [file(PREVIOUS_FILE)];
  return [...files.map(remove), ...dropAnnotations(view, ["previousImage", "previousConfigDigest"])];
}

/** Lets go of why a release was gone back from: another one is asked for. */
export function forgetRollback(view: View): JsonPatchOperation[] {
  return dropAnnotations(view, ["rolledBackFrom", "rolledBackBecause"]);
}

/** How a trial goes. */
export interface TrialVerdict {
  /** A pod of the release was ready. */
  readonly passed?: boolean;
  /** Why it failed. */
  readonly failure?: string;
  /** When it would fail by its length (epoch milliseconds). */
  readonly failsAt?: number;
}

/**
 * Judges the pod of a release on trial. What is not the release's doing (no room on nodes or on the volume, a node that is
 * lost) is waited for, and the pod that takes the place of one that ended has a start of its own.
 */
export function judgeTrial({ instance, node }: View, pod: Pod, now: number): TrialVerdict {
  const judged = judgePod(pod, now);
  const scheduled = pod.status?.conditions?.find(({ type, status }) => type === "PodScheduled" && status === "True");
  const since = Date.parse(scheduled?.lastTransitionTime ?? "");
  // One that was ready before has passed, whether anybody saw it or not.
  const passed = judged.stage === "Ready" || judged.reason === REASON.PodNotReady;
  if (passed) return { passed };
  if (node || judged.reason === REASON.StorageFull) return {};
  if (judged.stage === "Terminating" || judged.stage === "Ended" || Number.isNaN(since)) return {};
  const told = instance.status?.failure;
  const seen = told?.reason === judged.reason ? Date.parse(told.since) : now;
  const patience = judged.failed ? BUDGETS[judged.reason] : undefined;
  const failsAt = Math.min(
    since + START_BUDGET_MS,
    patience === undefined ? Number.POSITIVE_INFINITY : seen + patience,
  );
  if (now < failsAt) return { failsAt };
  const late = judged.failed ? "" : `It was not ready ${START_BUDGET_MS / 60_000} min after it got its node. `;
  return { failure: `${judged.reason}: ${late}${judged.message}` };
}

/** What is said of an instance that was rolled back. */
export function rolledBackVerdict(because: string): Verdict {
  const message = `The pod of the changed image or configuration did not become ready. ${because} The image and configuration of before are back until others are asked for; a new restartedAt tries these once more.`;
  return fails(STEP.Config, REASON.RolledBack, message);
}

function ownConfigMap({ configMap, instance }: View): ConfigMap | undefined {
  return standingOf(configMap, instance) === "ours" ? configMap : undefined;
}

function annotate(values: Partial<Record<keyof typeof ANNOTATION, string>>): JsonPatchOperation[] {
  const names = Object.keys(values) as (keyof typeof ANNOTATION)[];
  return names.map((name) => ({ op: "add", path: annotation(name), value: values[name] }));
}

function dropAnnotations(view: View, names: readonly (keyof typeof ANNOTATION)[]): JsonPatchOperation[] {
  const annotations = ownConfigMap(view)?.metadata.annotations ?? {};
  return names.filter((name) => annotations[ANNOTATION[name]] !== undefined).map((name) => remove(annotation(name)));
}

function remove(path: string): JsonPatchOperation {
  return { op: "remove", path };
}

function file(name: string): string {
  return `/data/${name}`;
}

function annotation(name: keyof typeof ANNOTATION): string {
  return `/metadata/annotations/${ANNOTATION[name].replaceAll("/", "~1")}`;
}
