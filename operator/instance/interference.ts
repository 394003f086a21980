import { EVENT_REASON, type OpenClawInstance } from "#crds/index.ts";
import type { EventInput } from "#lib/kube/events.ts";
import type { KubeObject } from "#lib/kube/types.ts";

/** What somebody else did to a child, which is as wanted again. */
export type Interference = "deleted" | "changed";

/** True when nothing was missing for what is asked: a child that is not there now was deleted by somebody. */
export function hadAllChildren({ metadata, status }: OpenClawInstance): boolean {
  const { lastReadyTime, failure, observedGeneration } = status ?? {};
  return lastReadyTime !== undefined && !failure && observedGeneration === metadata.generation;
}

/** What is told of it. Only of a deletion: to put back a field is to cost no more than that one write, and is counted. */
export function interferenceEvent({ kind, metadata }: KubeObject, done: Interference): EventInput | undefined {
  if (done !== "deleted") return undefined;
  const note = `The ${kind} ${metadata.name} was deleted and is made again. What it holds follows from the instance and its class: change these, or delete the instance.`;
  return { type: "Warning", reason: EVENT_REASON.ChildRestored, note, action: "Restore" };
}
