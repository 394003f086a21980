import {
  CLASS_CONDITION,
  type ClassStatus,
  type OpenClawClass,
  type OpenClawInstance,
  REASON,
  type Reason,
} from "#crds/index.ts";
import { timestamp } from "#lib/clock.ts";
import { type Condition, findCondition, setCondition } from "#lib/kube/conditions.ts";
import { objectKey } from "#lib/kube/types.ts";
import { shorten } from "#lib/shorten.ts";
import { siftConfig } from "../build/forbidden-config.ts";
import type { Count } from "./census.ts";

/** What a class's status is made from. */
export interface ClassFindings {
  readonly count: Count;
  /** The instances whose turn it is to take over a change of the class. */
  readonly turns: readonly OpenClawInstance[];
  /** How many wait for a turn. */
  readonly waiting: number;
  /** How many cannot follow the class: their own spec does not fit it. */
  readonly refused: number;
  /** How many were looked at since the class last changed. */
  readonly planned: number;
}

type Judged = Pick<Condition, "status" | "reason" | "message"> & { readonly reason: Reason };

/** Names of instances in a message: enough to begin with. */
const NAMED = 3;

/** ... and of fields that are refused. */
const FIELDS_MAX = 1_000;

/** The whole status of a class. `now` in epoch milliseconds. */
export function deriveClassStatus(plan: OpenClawClass, found: ClassFindings, now: number): ClassStatus {
  const { generation: observedGeneration } = plan.metadata;
  const before = plan.status?.conditions;
  const judged: [string, Judged | undefined][] = [
    [CLASS_CONDITION.ConfigValid, judgeConfig(plan)],
    [CLASS_CONDITION.RolledOut, judgeRollout(plan, found)],
  ];
  const conditions = judged.reduce(
    (list, [type, verdict]) =>
      verdict ? setCondition(list, { type, ...verdict, observedGeneration }, timestamp(now)) : list,
    [...(before ?? [])],
  );
  return {
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    ...found.count,
    conditions,
  };
}

function judgeConfig({ spec }: OpenClawClass): Judged {
  const { forbidden } = siftConfig(spec.gateway?.config ?? {}, "class");
  if (forbidden.length === 0) {
    return { status: "True", reason: REASON.AsExpected, message: "Instances can be configured by the class." };
  }
  const fields = forbidden.map((path) => `gateway.config.${path}`).join(", ");
  const message = `These belong to the operator and may not be set: ${shorten(fields, FIELDS_MAX)}. Remove them; until then what runs stays as it is.`;
  return { status: "False", reason: REASON.ForbiddenConfigKey, message };
}

/** Undefined while that cannot be said yet, and what was said of the same class still holds. */
function judgeRollout(
  plan: OpenClawClass,
  { count, turns, waiting, refused, planned }: ClassFindings,
): Judged | undefined {
  const { maxUnavailable } = plan.spec.rollout;
  const failing = turns.filter(({ status }) => status?.failure);
  const free = Math.max(0, maxUnavailable - turns.length);
  if (failing.length > 0 && failing.length === turns.length && (waiting === 0 || free === 0)) {
    // Their reasons and not their messages: those may hold words of a tenant's, and more people read a class.
    const message = `These do not come to run by the class as it is now: ${names(failing, reasonOf)}. ${waits(waiting)}\`kubectl describe claw\` says why. Correct the class: it reaches these at once.`;
    return { status: "False", reason: REASON.RolloutStuck, message };
  }
  if (turns.length > 0 || waiting > 0) {
    const message = `Being replaced, at most ${maxUnavailable} at a time: ${names(turns)}. ${waits(waiting)}`;
    return { status: "False", reason: REASON.RollingOut, message: message.trim() };
  }
  if (planned >= count.instances) {
    const but = refused === 0 ? "" : ` but ${refused} whose own spec does not fit it: they stay as they are`;
    const message = `All instances run by the class as it is now${but}.`;
    return { status: "True", reason: REASON.AsExpected, message };
  }
  // After a start of the operator all are looked at anew, which says nothing new of the class.
  const told = findCondition(plan.status?.conditions, CLASS_CONDITION.RolledOut);
  if (told?.observedGeneration === plan.metadata.generation) return undefined;
  return {
    status: "False",
    reason: REASON.RollingOut,
    message: "The class changed; its instances are being looked at.",
  };
}

function names(instances: readonly OpenClawInstance[], note?: (instance: OpenClawInstance) => string): string {
  if (instances.length === 0) return "none yet";
  const named = instances.slice(0, NAMED).map((instance) => objectKey(instance) + (note?.(instance) ?? ""));
  const more = instances.length - named.length;
  return named.join(", ") + (more > 0 ? ` and ${more} more` : "");
}

function reasonOf({ status }: OpenClawInstance): string {
  return ` (${status?.failure?.reason ?? ""})`;
}

function waits(waiting: number): string {
  return waiting === 0 ? "" : `${waiting} more ${waiting === 1 ? "waits" : "wait"} for that. `;
}
