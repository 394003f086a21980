import type { Clock } from "#lib/clock.ts";
import type { Node, Pod } from "#lib/kube/resource.ts";
import { containerStatus } from "../instance/container-verdict.ts";
import { type NodeState, OUT_OF_SERVICE_TAINT } from "../instance/node-state.ts";
import { BY_NODE, type Caches } from "./caches.ts";

/** What is wrong with a node, as far as it says so itself. */
interface Ailment {
  readonly kind: "Silent" | "OutOfService";
  /** Epoch milliseconds. */
  readonly since: number;
}

/** What ails a node; undefined for one that is well. A node that never said how it is counts as well. */
export function ailmentOf(node: Node): Ailment | undefined {
  const ready = readyOf(node);
  if (!ready || ready.status === "True") return undefined;
  const since = Date.parse(ready.lastTransitionTime ?? "");
  if (Number.isNaN(since)) return undefined;
  // The taint alone proves nothing while the kubelet still answers.
  const outOfService = node.spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE_TAINT) ?? false;
  return { kind: outOfService ? "OutOfService" : "Silent", since };
}

/** What is known of the nodes that pods run on. */
export interface NodeWatch {
  /**
   * What is wrong with a pod's node; undefined when nothing is, or while the pod is ready: a kubelet that vouches for it lives,
   * node object or not. Times in (epoch) milliseconds.
   */
  stateOf(pod: Pod, graceMs: number): NodeState | undefined;
}

/**
 * The control plane evicts the pods of a node that is out of service, by their names and not by their uids: a successor that is
 * made before that would be hit in their place.
 */
const EVICTION_MS = 3_000;

/**
 * Judges nodes by their cache, or where nodes may not be read by what the control plane notes on the pod when its node falls
 * silent. Since when a node has been gone or out of service is kept in memory: an operator that starts anew waits anew.
 */
export function watchNodes({ nodes, pods }: Pick<Caches, "nodes" | "pods">, clock: Clock): NodeWatch {
  /** By name, when it was noticed: for people, and by the clock that is never set. */
  const noticed = new Map<string, { kind: NodeState["kind"]; at: number; monotonicAt: number }>();
  nodes?.onChange(({ key, type, object }) => {
    if (type === "deleted" || ailmentOf(object)?.kind !== "OutOfService") noticed.delete(key);
  });
  pods.onChange(({ type, object }) => {
    const name = object.spec?.nodeName;
    if (type === "deleted" && name !== undefined && pods.byIndex(BY_NODE, name).length === 0) noticed.delete(name);
  });

  /** What only this process notices counts from when it did, whatever is done to the clock meanwhile. */
  function notice(name: string, kind: NodeState["kind"], graceMs: number): { noticedAt: number; lostAt: number } {
    const [now, monotonicNow] = [clock.now(), clock.monotonic()];
    const known = noticed.get(name);
    const { at, monotonicAt } = known?.kind === kind ? known : { at: now, monotonicAt: monotonicNow };
    noticed.set(name, { kind, at, monotonicAt });
    return { noticedAt: at, lostAt: now + graceMs - (monotonicNow - monotonicAt) };
  }

  return {
    stateOf(pod, graceMs) {
      const name = pod.spec?.nodeName;
      if (name === undefined || readyOf(pod)?.status === "True") return undefined;
      if (!nodes) return bySilence(pod, name, graceMs);
      const node = nodes.get(name);
      if (!node) {
        const { noticedAt, lostAt } = notice(name, "Gone", graceMs);
        return { name, kind: "Gone", since: noticedAt, lostAt };
      }
      const ailment = ailmentOf(node);
      if (!ailment) return undefined;
      const { kind, since } = ailment;
      // A person's word need not be waited for, only what it sets off.
      const lostAt = kind === "OutOfService" ? notice(name, kind, EVICTION_MS).lostAt : since + graceMs;
      return { name, kind, since, lostAt };
    },
  };
}

/** A kubelet tells of pod and container at one time; that the pod alone is unready was written over its head. */
function bySilence(pod: Pod, name: string, graceMs: number): NodeState | undefined {
  const ready = readyOf(pod);
  const since = Date.parse(ready?.lastTransitionTime ?? "");
  const contradicts = ready?.status === "False" && containerStatus(pod)?.ready === true;
  return contradicts && !Number.isNaN(since) ? { name, kind: "Silent", since, lostAt: since + graceMs } : undefined;
}

function readyOf({ status }: Node | Pod) {
  return status?.conditions?.find(({ type }) => type === "Ready");
}
