import { PATIENCE } from "#crds/index.ts";
import { timestamp } from "#lib/clock.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { objectKey, refKey } from "#lib/kube/types.ts";
import { checkName } from "../build/check-pod.ts";
import { runtimeName } from "../build/identity.ts";
import { classPolicyName } from "../build/network-policy.ts";
import type { Caches } from "../cache/caches.ts";
import type { NodeWatch } from "../cache/nodes.ts";
import type { RolloutGate } from "../class/rollout-gate.ts";
import type { GatewayDrainer } from "../probe/gateway-drainer.ts";
import type { GatewayProber } from "../probe/gateway-prober.ts";
import type { ConfigChecks } from "./config-checks.ts";
import type { Deletions } from "./deletions.ts";
import { runId } from "./gateway.ts";
import type { ReplacementBackoff } from "./replacement-backoff.ts";
import type { View } from "./view.ts";

/** Where views come from. */
export interface Sources {
  readonly caches: Caches;
  readonly nodes: NodeWatch;
  readonly prober: GatewayProber;
  readonly drainer: GatewayDrainer;
  readonly checks: ConfigChecks;
  readonly backoff: ReplacementBackoff;
  readonly rollouts: RolloutGate;
  readonly deleting: Deletions;
}

/** The view of an instance, from caches alone; undefined when there is no such instance. `now` in epoch milliseconds. */
export function observe(
  key: string,
  { caches, nodes, prober, drainer, checks, backoff, rollouts, deleting }: Sources,
  now: number,
): View | undefined {
  const instance = caches.instances.get(key);
  if (!instance) return undefined;
  const { namespace = "", uid = "" } = instance.metadata;
  const child = refKey({ namespace, name: runtimeName(instance) });
  const { className } = instance.spec;
  const pod = asDeleted(caches.pods.get(child), deleting, now);
  const run = pod && runId(pod);
  const plan = caches.classes.get(className);
  const gateway = run === undefined ? undefined : prober.verdict(key, run);
  return {
    instance,
    class: plan,
    secret: caches.secrets.get(child),
    configMap: caches.configMaps.get(child),
    claim: caches.claims.get(child),
    service: caches.services.get(child),
    classPolicy: caches.policies.get(refKey({ namespace, name: classPolicyName(className) })),
    instancePolicy: caches.policies.get(child),
    pod,
    node: pod && nodes.stateOf(pod, (plan?.spec ?? PATIENCE).nodeLostSeconds * 1000),
    checkPod: asDeleted(caches.pods.get(refKey({ namespace, name: checkName(instance) })), deleting, now),
    checks,
    gateway,
    addressRival: gateway?.reachable === false ? rivalOf(pod, caches) : undefined,
    drain: run === undefined ? undefined : drainer.verdict(key, run),
    hasTurn: rollouts.hasTurn(instance),
    replaceAfter: backoff.notBefore(uid),
  };
}

/** An address is one pod's: of two that claim it, one was on a node that was lost. */
function rivalOf(pod: Pod | undefined, { pods }: Caches): string | undefined {
  const address = pod?.status?.podIP;
  if (address === undefined) return undefined;
  const isRival = ({ metadata, status }: Pod) =>
    status?.podIP === address && metadata.uid !== pod?.metadata.uid && status.phase === "Running";
  const rival = pods.list().find(isRival);
  return rival && objectKey(rival);
}

/** A pod we asked to be deleted is on its way out, also before the watch says so. */
function asDeleted(pod: Pod | undefined, deleting: Deletions, now: number): Pod | undefined {
  if (!pod || pod.metadata.deletionTimestamp || !deleting.has(pod.metadata.uid ?? "")) return pod;
  return { ...pod, metadata: { ...pod.metadata, deletionTimestamp: timestamp(now) } };
}
