import { CONDITION, GATEWAY_PORT, REASON, STEP } from "#crds/index.ts";
import { isConditionTrue } from "#lib/kube/conditions.ts";
import type { Pod } from "#lib/kube/resource.ts";
import type { GatewayVerdict } from "../probe/gateway-verdict.ts";
import { containerStatus } from "./container-verdict.ts";
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

/** A gateway to call, at once unless it is known to answer. */
export interface Probe extends ProbeTarget {
  readonly known: boolean;
}

/** Which start of which pod's container this is; undefined while it does not run. */
function containerRun(pod: Pod): { podUID: string; startedAt: string } | undefined {
  const startedAt = containerStatus(pod)?.state?.running?.startedAt;
  return pod.metadata.uid !== undefined && startedAt !== undefined
    ? { podUID: pod.metadata.uid, startedAt }
    : undefined;
}

/** Id of the very start of the very container; undefined while it does not run. */
export function runId(pod: Pod): string | undefined {
  const run = containerRun(pod);
  return run && `${run.podUID}/${run.startedAt}`;
}

/** The gateway to call: that of a ready pod, and whether this very container has answered before. */
export function probeTarget(view: View, slot: Slot): Probe | undefined {
  const { pod } = view;
  const target = isServing(view) && pod ? gatewayTarget(pod, slot) : undefined;
  return target && pod && { ...target, known: hasAnswered(view, pod) };
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
  if (view.gateway?.reachable === false) return judgeFault(view, view.gateway);
  if (view.gateway?.reachable || hasAnswered(view, view.pod))
    return holds("The gateway answered an authenticated call.");
  return unknown("The gateway has not been called yet.", REASON.ProbePending);
}

function judgeFault(view: View, { reason, message }: GatewayVerdict & { reachable: false }): Verdict {
  if (reason === REASON.StorageFull) return fails(STEP.Storage, reason, message);
  if (reason !== REASON.GatewayUnauthorized) return fails(STEP.Gateway, reason, `${message} ${NEXT[reason]}`);
  const next = view.addressRival
    ? `The pod ${view.addressRival} has the same address; one of the two is gone. Nothing is done until the nodes say which.`
    : "It runs with credentials that are no more: a new pod takes its place.";
  return fails(STEP.Gateway, reason, `${message} ${next}`);
}

const NEXT = {
  [REASON.GatewaySilent]:
    "The pod's own probes pass. Look for a NetworkPolicy or a node that keeps the operator out, else restart it by restartedAt.",
  [REASON.GatewayError]: "`kubectl logs` of the pod may say why; restartedAt restarts it.",
} as const;

/**
 * True for a pod that is ready and can never serve: its gateway has other credentials than its slot, because it started while
 * the Secret was another. Not when the address is another pod's too, for then it may be that one which answered.
 */
export function isMisfit(view: View): boolean {
  const { gateway } = view;
  const refused = gateway?.reachable === false && gateway.reason === REASON.GatewayUnauthorized;
  return refused && view.addressRival === undefined && isServing(view);
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
    runtime.podIP === pod.status?.podIP &&
    runtime.startedAt === run.startedAt
  );
}
