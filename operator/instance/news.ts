import type { InstanceStatus, OpenClawInstance } from "#crds/index.ts";
import type { EventRecorder } from "#lib/kube/events.ts";
import type { KubeObject } from "#lib/kube/types.ts";
import type { InstanceMetrics } from "../metrics.ts";
import { type Interference, interferenceEvent } from "./interference.ts";
import { failureBegun } from "./transition.ts";

/** What people learn of an instance besides its status: an Event of what happened, and a count. */
export interface News {
  /** A status is there: a failure is told of once, when it begins. */
  readonly status: (before: OpenClawInstance, next: InstanceStatus) => void;
  /** A child is as wanted again after somebody else saw to it. */
  readonly restored: (instance: OpenClawInstance, child: KubeObject, done: Interference) => void;
}

/** Tells by Events and metrics. */
export function announce({ events, metrics }: { events: EventRecorder; metrics: InstanceMetrics }): News {
  return {
    status(before, next) {
      metrics.changed(before.status, next);
      const failure = failureBegun(before.status, next);
      if (!failure) return;
      events.record(before, {
        type: "Warning",
        reason: failure.reason,
        note: failure.message,
        action: "Reconcile",
      });
    },
    restored(instance, child, done) {
      metrics.restored(child.kind, done);
      const event = interferenceEvent(child, done);
      if (event) events.record(instance, event);
    },
  };
}
