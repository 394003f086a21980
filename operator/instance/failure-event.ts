import type { InstanceStatus, OpenClawInstance } from "#crds/index.ts";
import type { EventRecorder } from "#lib/kube/events.ts";

/** Tells of a failure once, when it becomes the instance's failure: `kubectl describe` then shows when each began. */
export function recordFailure(events: EventRecorder, instance: OpenClawInstance, next: InstanceStatus): void {
  const before = instance.status?.failure;
  const { failure } = next;
  if (!failure || (before?.reason === failure.reason && before.step === failure.step)) return;
  events.record(instance, { type: "Warning", reason: failure.reason, note: failure.message, action: "Reconcile" });
}
