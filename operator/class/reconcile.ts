import { CLASS_CONDITION, CLASSES, type ClassStatus, type OpenClawClass, REASON } from "#crds/index.ts";
import type { Clock } from "#lib/clock.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { findCondition } from "#lib/kube/conditions.ts";
import type { ReconcileContext, Result } from "#lib/kube/controller.ts";
import type { EventRecorder } from "#lib/kube/events.ts";
import type { Caches } from "../cache/caches.ts";
import { StatusPatcher } from "../status-patcher.ts";
import type { Census } from "./census.ts";
import type { RolloutGate } from "./rollout-gate.ts";
import { deriveClassStatus } from "./status.ts";

/** What reconciling classes needs. */
export interface ClassReconcilerOptions {
  readonly client: KubeClient;
  readonly caches: Pick<Caches, "classes" | "instances">;
  readonly census: Census;
  readonly rollouts: RolloutGate;
  readonly events: EventRecorder;
  readonly clock: Clock;
}

/** Tells of one class how many instances it has and how far its last change has come. It changes nothing but the status. */
export function createClassReconciler(
  o: ClassReconcilerOptions,
): (name: string, context: ReconcileContext) => Promise<Result> {
  const { client, caches, census, rollouts, clock } = o;
  const patcher = new StatusPatcher<OpenClawClass>(client, CLASSES, tellOfStuckRollout);
  caches.classes.onChange(({ type, key }) => {
    if (type === "deleted") patcher.forget(key);
  });

  return async (name, { signal }) => {
    const plan = caches.classes.get(name);
    if (!plan || plan.metadata.deletionTimestamp) return undefined;
    const { turns, ...progress } = rollouts.progress(plan);
    const found = {
      ...progress,
      count: census.count(name),
      turns: turns.map((key) => caches.instances.get(key)).filter((instance) => instance !== undefined),
    };
    const next = deriveClassStatus(plan, found, clock.now());
    patcher.see(plan);
    const written = await patcher.patch(plan, next, signal);
    if (written) caches.classes.assume(written);
    return undefined;
  };

  /** Once, when it begins. */
  function tellOfStuckRollout(plan: OpenClawClass, next: ClassStatus): void {
    const [before, now] = [plan.status, next].map((status) =>
      findCondition(status?.conditions, CLASS_CONDITION.RolledOut),
    );
    if (now?.reason !== REASON.RolloutStuck || before?.reason === now.reason) return;
    o.events.record(plan, { type: "Warning", reason: now.reason, note: now.message, action: "RollOut" });
  }
}
