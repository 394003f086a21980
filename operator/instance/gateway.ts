import { CONDITION, GATEWAY_PORT, REASON, STEP } from "#crds/index.ts";
import { isConditionTrue } from "#lib/kube/conditions.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { standingOf } from "./ownership.ts";
import { isReady } from "./pod-verdict.ts";
import type { Slot } from "./slot.ts";
import { fails, holds, unknown, type Verdict } from "./verdict.ts";
import type { View } from "./view.ts";

/** A gateway to call. */
export interface ProbeTarget {
  /** The very container: another start is another target. */
  readonly id: string;
  readonly url: string;
  readonly slot: Slot;
}

/** Which start of which pod's container this is; undefined while it does not run. */
function containerRun(pod: Pod): { podUID: string; startedAt: string } | undefined {
  const startedAt = pod.status?.containerStatuses?.[0]?.state?.running?.startedAt;
  return pod.metadata.uid !== undefined && startedAt !== undefined
    ? { podUID: pod.metadata.uid, startedAt }
    : undefined;
}

/** Id of the very start of the very container; undefined while it does not run. */
export function runId(pod: Pod): string | undefined {
  const run = containerRun(pod);
  return run && `${run.podUID}/${run.startedAt}`;
}

/** The gateway to call: that of a ready pod, unless this very container has answered before. */
export function probeTarget(view: View, slot: Slot): ProbeTarget | undefined {
  const { pod } = view;
  return isServing(view) && pod && !hasAnswered(view, pod) ? gatewayTarget(pod, slot) : undefined;
}

/** The gateway of this pod's container; undefined while that does not run or has no address. */
export function gatewayTarget(pod: Pod, slot: Slot): ProbeTarget | undefined {
  const id = runId(pod);
  const address = pod.status?.podIP;
  if (id === undefined || !address) return undefined;
  const host = address.includes(":") ? `[${address}]` : address;
  return { id, url: `http://${host}:${GATEWAY_PORT}`, slot };
}

/** Judges whether this slot's gateway answered an authenticated call since its container started. */
export function judgeGateway(view: View, pod: Verdict): Verdict {
  if (pod.reason === REASON.Stopped) return { ...pod, message: "There is no pod." };
  if (!isServing(view) || !view.pod) return unknown("Waits for the pod.");
  if (view.gateway?.reachable === false) return fails(STEP.Gateway, view.gateway.reason, view.gateway.message);
  if (view.gateway?.reachable || hasAnswered(view, view.pod))
    return holds("The gateway answered an authenticated call.");
  return unknown("The gateway has not been called yet.", REASON.ProbePending);
}

/** True when the pod is ready and its gateway answered to this slot's token. */
export function hasServed(view: View): boolean {
  const answered = view.gateway ? view.gateway.reachable : view.pod !== undefined && hasAnswered(view, view.pod);
  return isServing(view) && answered;
}

function isServing({ pod, instance }: View): boolean {
  return pod !== undefined && standingOf(pod, instance) === "ours" && !pod.metadata.deletionTimestamp && isReady(pod);
}

/** The status is our memory: after a restart of the operator what answered before need not be asked again. */
function hasAnswered({ instance }: View, pod: Pod): boolean {
  const { conditions, runtime } = instance.status ?? {};
  const run = containerRun(pod);
  return (
    isConditionTrue(conditions, CONDITION.GatewayReachable) &&
    run !== undefined &&
    runtime?.podUID === run.podUID &&
    runtime.startedAt === run.startedAt
  );
}
