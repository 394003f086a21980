import {
  CLASS_CONDITION,
  CLASSES,
  type ClassStatus,
  OPERATOR_FIELD_MANAGER,
  type OpenClawClass,
  REASON,
} from "#crds/index.ts";
import type { Clock } from "#lib/clock.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { findCondition } from "#lib/kube/conditions.ts";
import type { ReconcileContext, Result } from "#lib/kube/controller.ts";
import { isNotFound } from "#lib/kube/errors.ts";
import type { EventRecorder } from "#lib/kube/events.ts";
import { patchStatusIfChanged } from "#lib/kube/status.ts";
import type { Caches } from "../cache/caches.ts";
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
    const written = await write(plan, next, signal);
    if (written) {
      caches.classes.assume(written);
      tellOfStuckRollout(plan, next);
    }
    return undefined;
  };

  async function write(
    plan: OpenClawClass,
    next: ClassStatus,
    signal: AbortSignal,
  ): Promise<OpenClawClass | undefined> {
    try {
      const options = { fieldManager: OPERATOR_FIELD_MANAGER, signal };
      const { object, written } = await patchStatusIfChanged(client, CLASSES, plan, next, options);
      return written ? object : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  /** Once, when it begins. */
  function tellOfStuckRollout(plan: OpenClawClass, next: ClassStatus): void {
    const [before, now] = [plan.status, next].map((status) =>
      findCondition(status?.conditions, CLASS_CONDITION.RolledOut),
    );
    if (now?.reason !== REASON.RolloutStuck || before?.reason === now.reason) return;
    o.events.record(plan, { type: "Warning", reason: now.reason, note: now.message, action: "RollOut" });
  }
}
