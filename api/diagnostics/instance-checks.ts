import { CONDITION, type ConditionType, type OpenClawInstance, PHASE } from "#crds/index.ts";
import { findCondition } from "#lib/kube/conditions.ts";
import { phaseOf } from "../instances/phase.ts";
import { type Check, type Link, skipped, well } from "./check.ts";

/** The links that the operator judges, each by a condition, with what to do where its message does not say. */
const JUDGED: readonly { link: Link; condition: ConditionType; next: string }[] = [
  {
    link: "class",
    condition: CONDITION.ClassFound,
    next: "Ask whoever runs the system: the plan this OpenClaw is of is missing.",
  },
  {
    link: "config",
    condition: CONDITION.ConfigValid,
    next: "Ask whoever runs the system: the message names what OpenClaw does not take.",
  },
  {
    link: "storage",
    condition: CONDITION.StorageReady,
    next: "Wait some minutes; then ask whoever runs the system for the volume.",
  },
  {
    link: "pod",
    condition: CONDITION.PodReady,
    next: "It is replaced by itself where that helps; else POST /api/openclaw/runtime/restart, or ask whoever runs the system.",
  },
  {
    link: "gateway",
    condition: CONDITION.GatewayReachable,
    next: "POST /api/openclaw/runtime/restart if it lasts for more than five minutes.",
  },
  {
    link: "model",
    condition: CONDITION.ModelConfigured,
    next: "Ask whoever runs the system: the model of the plan is not set up.",
  },
];

/** The links from the instance to the model; undefined = there is no instance for sure. */
export function checkKnown(instance: OpenClawInstance | undefined): Check[] {
  return [checkInstance(instance), ...checkConditions(instance)];
}

/** The same links of an instance that may be there or not: nobody could be asked. */
export function checkNothing(): Check[] {
  const message = "Nobody could be asked, and nothing was known before.";
  const links: readonly Link[] = ["instance", ...JUDGED.map(({ link }) => link)];
  return links.map((link) => ({ link, status: "unknown", reason: "Pending", message, next_step: null }));
}

/** Whether there is an instance that is meant to run. */
function checkInstance(instance: OpenClawInstance | undefined): Check {
  const failed = { link: "instance", status: "failed" } as const;
  const start = "POST /api/openclaw/instance";
  if (!instance) return { ...failed, reason: "NotFound", message: "There is no OpenClaw of yours.", next_step: start };
  switch (phaseOf(instance)) {
    case PHASE.Terminating:
      return { ...failed, reason: "Terminating", message: "It is being deleted.", next_step: `Wait, then ${start}.` };
    case PHASE.Stopped:
      return {
        ...failed,
        reason: "Stopped",
        message: "It was stopped on request; its volume is kept.",
        next_step: start,
      };
    default:
      return well("instance", `It is ${phaseOf(instance)}.`);
  }
}

/** What the operator found of each link, without one that is judged by a call of our own. */
function checkConditions(instance: OpenClawInstance | undefined): Check[] {
  return JUDGED.map(({ link, condition, next }) => {
    if (!instance) return skipped(link, "There is no OpenClaw to look at.");
    const found = findCondition(instance.status?.conditions, condition);
    if (!found) return { ...skipped(link, "The operator has not looked at it yet."), status: "unknown" };
    if (found.status === "True") return well(link, found.message || "It is as wanted.");
    const status = found.status === "False" ? "failed" : "unknown";
    return { link, status, reason: found.reason, message: found.message || "It is not as wanted.", next_step: next };
  });
}
