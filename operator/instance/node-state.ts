import { REASON } from "#crds/index.ts";
import { timestamp } from "#lib/clock.ts";
import { fault, onTheWay, type PodVerdict } from "./pod-finding.ts";

/** What is wrong with a pod's node. A node that is well has no such state. */
export interface NodeState {
  readonly name: string;
  /** `Silent`: it may be off, or only cut off. `OutOfService` (a person's word) and `Gone`: nothing runs there any more. */
  readonly kind: "Silent" | "OutOfService" | "Gone";
  /** Since when (epoch milliseconds). */
  readonly since: number;
  /** From when it counts as lost (epoch milliseconds). */
  readonly lostAt: number;
}

/** Taint by which a person says that a node is off and will not come back by itself. */
export const OUT_OF_SERVICE_TAINT = "node.kubernetes.io/out-of-service";

/** True when nothing of the pod can run any more although nobody saw it end: only then may a second one take its volume. */
export function isSurelyGone(node: NodeState | undefined, now: number): boolean {
  return node !== undefined && node.kind !== "Silent" && now >= node.lostAt;
}

/** Judges a pod that has not ended by its node. `now` in epoch milliseconds. */
export function judgeNode(node: NodeState, now: number, stage: "NotReady" | "Terminating"): PodVerdict {
  const since = timestamp(node.since);
  const { name } = node;
  if (now < node.lostAt) {
    const message = `The node ${name} does not answer since ${since}.`;
    return { ...onTheWay(stage, REASON.NodeLost, message), failsAt: node.lostAt };
  }
  if (node.kind === "Silent") {
    return fault(stage, REASON.NodeLost, `The node ${name} does not answer since ${since}. ${whatToDo(name)}`);
  }
  const how = node.kind === "Gone" ? "does not exist any more" : "is out of service";
  const message = `The node ${name} ${how} (seen ${since}), and the pod with it. A new one takes its place, with the same volume.`;
  return fault("Ended", REASON.NodeLost, message);
}

/** What a person can do about a node that does not say whether a pod ended. */
export function whatToDo(name = ""): string {
  return `Its replacement waits, as two must not write to one volume. Look at \`kubectl get node ${name}\`; if the machine is surely off, \`kubectl taint node ${name} ${OUT_OF_SERVICE_TAINT}=nodeshutdown:NoExecute\` or delete the node.`;
}
