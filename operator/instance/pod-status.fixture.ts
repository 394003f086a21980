import type { Pod } from "#lib/kube/resource.ts";
import { NOW } from "./view.fixture.ts";

export type Status = NonNullable<Pod["status"]>;
type Container = NonNullable<Status["containerStatuses"]>[number];

/** Seconds after all objects were made. */
export const at = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();

/** A pod of this status. */
export function pod(status: Status, metadata: Partial<Pod["metadata"]> = {}): Pod {
  return { apiVersion: "v1", kind: "Pod", metadata: { name: "p", creationTimestamp: at(0), ...metadata }, status };
}

/** The status of a pod whose container is like this. */
export function container(parts: Partial<Container>): Status {
  const base = { name: "openclaw", image: "img:1", imageID: "", ready: false, restartCount: 0 };
  return { phase: "Running", containerStatuses: [{ ...base, ...parts }] };
}

/** The status of a pod whose container ended and is to start again. */
export function ended(exitCode: number, message = "", reason = "Error", restartCount = 1): Status {
  return container({
    restartCount,
    state: { waiting: { reason: "CrashLoopBackOff" } },
    lastState: { terminated: { exitCode, reason, message } },
  });
}
