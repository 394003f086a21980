import { type InstanceDrain, type OpenClawInstance, PATIENCE } from "#crds/index.ts";
import { timestamp } from "#lib/clock.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { hasServed, runId } from "./gateway.ts";
import type { View } from "./view.ts";

/**
 * How long a running pod that is to go may still work; undefined when it may go now. It is drained only if its gateway serves,
 * until that is idle or the time is over. The beginning is told in the status before the gateway is asked for anything, so
 * that the API turns new work away first and the time counts on whoever leads next. `now` in epoch milliseconds.
 */
export function planDrain(view: View, pod: Pod, now: number): InstanceDrain | undefined {
  const seconds = (view.class?.spec ?? PATIENCE).drainSeconds;
  const begun = drainOf(view.instance, pod);
  if (seconds === 0 || (!begun && !hasServed(view))) return undefined;
  const since = begun?.since ?? timestamp(now);
  const until = Date.parse(since) + seconds * 1000;
  // A container that does not run has nothing to finish.
  const over = begun && (now >= until || runId(pod) === undefined || view.drain === "Idle" || view.drain === "Deaf");
  return over ? undefined : { podUID: pod.metadata.uid ?? "", since, until: timestamp(until) };
}

/** The drain of this very pod that the status tells of. */
export function drainOf({ status }: OpenClawInstance, pod: Pod | undefined): InstanceDrain | undefined {
  return status?.drain !== undefined && status.drain.podUID === pod?.metadata.uid ? status.drain : undefined;
}
