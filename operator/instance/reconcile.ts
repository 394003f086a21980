import { INSTANCES, type OpenClawInstance, REASON } from "#crds/index.ts";
import type { Clock } from "#lib/clock.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import type { ReconcileContext, Result } from "#lib/kube/controller.ts";
import type { EventRecorder } from "#lib/kube/events.ts";
import type { KubeObject } from "#lib/kube/types.ts";
import { refKey } from "#lib/kube/types.ts";
import type { Logger } from "#lib/log.ts";
import { type Caches, cacheOf } from "../cache/caches.ts";
import { watchNodes } from "../cache/nodes.ts";
import type { RolloutGate } from "../class/rollout-gate.ts";
import type { InstanceMetrics } from "../metrics.ts";
import type { GatewayDrainer } from "../probe/gateway-drainer.ts";
import type { GatewayProber } from "../probe/gateway-prober.ts";
import { StatusPatcher } from "../status-patcher.ts";
import { type ActContext, carryOut, type Outcome } from "./act.ts";
import { ConfigChecks } from "./config-checks.ts";
import { Deletions } from "./deletions.ts";
import { isMisfit } from "./gateway.ts";
import { callGateways } from "./gateway-calls.ts";
import { hadAllChildren } from "./interference.ts";
import { announce } from "./news.ts";
import { observe } from "./observe.ts";
import { standingOf } from "./ownership.ts";
import { type Plan, planInstance } from "./plan.ts";
import { judgePod } from "./pod-verdict.ts";
import { ReplacementBackoff } from "./replacement-backoff.ts";
import type { Settings } from "./settings.ts";
import { deriveStatus, deriveTerminating } from "./status.ts";
import { createStatusWriter } from "./status-writer.ts";
import { isStillThere } from "./still-there.ts";
import type { Blocked } from "./verdict.ts";
import type { View } from "./view.ts";

/** What reconciling instances needs. */
export interface InstanceReconcilerOptions {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly prober: GatewayProber;
  readonly drainer: GatewayDrainer;
  readonly rollouts: RolloutGate;
  /** Puts the key of an instance into the queue. */
  readonly wake: (key: string) => void;
  readonly settings: Settings;
  readonly events: EventRecorder;
  readonly metrics: InstanceMetrics;
  readonly clock: Clock;
  /** A fresh random slot id. */
  readonly newSlot: () => string;
}

/** Plans that find the cache behind their own writes are made again at once, this often. */
const MAX_PASSES = 3;

/** An error that comes so often in a row (some 5 s, by the queue's pauses) is told of: until then it may pass by itself. */
const FAILURES_TOLD = 10;

/** How often a child that someone stands in the way of is tried again: nobody tells us when the way is free. */
const BLOCKED_RETRY_MS = 30_000;

/** Brings one instance (by key) to what its spec says: observe, plan, act, status. */
export function createInstanceReconciler(
  o: InstanceReconcilerOptions,
): (key: string, context: ReconcileContext) => Promise<Result> {
  const { client, caches, prober, drainer, rollouts, settings, clock } = o;
  const news = announce(o);
  const backoff = new ReplacementBackoff(clock);
  const gateways = callGateways(prober, drainer);
  const checks = new ConfigChecks(o.wake);
  const statuses = createStatusWriter(new StatusPatcher(client, INSTANCES, news.status), clock);
  const deleting = new Deletions(caches.pods);
  /** How many reconciles of an instance failed in a row. */
  const failing = new Map<string, number>();
  const sharing: ActContext["sharing"] = new Map();
  const sources = { caches, nodes: watchNodes(caches, clock), prober, drainer, checks, backoff, rollouts, deleting };

  caches.instances.onChange(({ type, key, object }) => {
    if (type !== "deleted") return;
    forget(key);
    statuses.forget(key);
    backoff.forget(object.metadata.uid ?? "");
  });

  async function reconcile(key: string, { signal, log }: ReconcileContext): Promise<Result> {
    for (let pass = 0; pass < MAX_PASSES; pass++) {
      const view = observe(key, sources, clock.now());
      if (!view) {
        // The instance went while we were at it: its deletion came too early to forget what was noted since.
        forget(key);
        statuses.forget(key);
        return undefined;
      }
      if (view.instance.metadata.deletionTimestamp) return finalize(key, view.instance, signal);
      const plan = planInTurn(view);
      gateways.want(key, plan);
      // Before anything is awaited: of instances with the same change that are planned at a time one has it checked.
      checks.report(key, plan.check);
      if (!(await isStillThere(client, view.instance, plan.writes, signal))) {
        forget(key);
        return undefined;
      }
      const outcome = await act(key, plan, actContext(view, signal, log));
      if (outcome !== "stale") return report(view, plan, outcome, signal);
    }
    throw new Error(`the cache stayed behind the apiserver for ${MAX_PASSES} plans`);
  }

  async function act(key: string, { writes }: Plan, context: Omit<ActContext, "errorsLast">): Promise<Outcome> {
    const failures = failing.get(key) ?? 0;
    try {
      const outcome = await carryOut(writes, { ...context, errorsLast: failures >= FAILURES_TOLD });
      failing.delete(key);
      return outcome;
    } catch (error) {
      failing.set(key, failures + 1);
      throw error;
    }
  }

  function forget(key: string): void {
    failing.delete(key);
    checks.report(key, undefined);
    gateways.forget(key);
    rollouts.forget(key);
  }

  /** A plan that waits for its turn is made again if it can have it. */
  function planInTurn(view: View): Plan {
    const newSlot = o.newSlot();
    const plan = planInstance(view, settings, clock.now(), newSlot);
    if (plan.rollout !== "waits" || !view.class || !rollouts.take(view.instance, view.class)) return plan;
    return planInstance({ ...view, hasTurn: true }, settings, clock.now(), newSlot);
  }

  /**
   * There is nothing to clean up: the garbage collector takes what is owned, and a volume that is to stay is not owned. So
   * instances carry no finalizer, and deleting one does not depend on a running operator.
   */
  async function finalize(key: string, instance: OpenClawInstance, signal: AbortSignal): Promise<Result> {
    forget(key);
    const { written } = await statuses.write(instance, deriveTerminating(instance, clock.now()), signal);
    if (written) caches.instances.assume(written);
    return undefined;
  }

  async function report(view: View, plan: Plan, outcome: "done" | Blocked, signal: AbortSignal): Promise<Result> {
    const { instance } = view;
    const done = outcome === "done";
    const blocked = done ? plan.blocked : outcome;
    const now = clock.now();
    const pod = standingOf(view.pod, instance) === "ours" ? view.pod : undefined;
    const next = deriveStatus(instance, { ...plan, blocked, pod, reowns: plan.reowns && !done }, now);
    const { written, againInMs } = await statuses.write(instance, next, signal);
    if (written) caches.instances.assume(written);
    // After the status: nobody takes over the turn before it says that this one serves again.
    if (view.class) rollouts.settle(instance, view.class, plan.rollout);
    const retryAt = blocked && blocked.reason !== REASON.Terminating ? now + BLOCKED_RETRY_MS : undefined;
    const writeAt = againInMs === undefined ? undefined : now + againInMs;
    const wakeAt = Math.min(...[plan.wakeAt, writeAt, retryAt].filter((time) => time !== undefined));
    return Number.isFinite(wakeAt) ? { requeueAfterMs: Math.max(0, wakeAt - now) } : undefined;
  }

  function actContext(view: View, signal: AbortSignal, log: Logger): Omit<ActContext, "errorsLast"> {
    return {
      client,
      operatorVersion: settings.operatorVersion,
      sharing,
      signal,
      log,
      assume: (type, object) => cacheOf(caches, type).assume(object),
      cached: (type, ref) => cacheOf(caches, type).get(refKey(ref)),
      trackDeletion: (object, send) => trackDeletion(object, send, view),
      hadAll: hadAllChildren(view.instance),
      restored: (child, done) => news.restored(view.instance, child, done),
    };
  }

  async function trackDeletion(object: KubeObject, send: () => Promise<unknown>, view: View) {
    const { pod, node, instance } = view;
    await deleting.track(object, send);
    if (
      pod &&
      pod.metadata.uid === object.metadata.uid &&
      (judgePod(pod, clock.now(), node).stage === "Ended" || isMisfit(view))
    )
      backoff.ended(instance.metadata.uid ?? "");
  }

  return reconcile;
}
