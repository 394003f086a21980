import type { KubeClient } from "./client.ts";
import type { KubeObject, ResourceType } from "./types.ts";

/**
 * Makes `nextStatus` the whole status of `live`, with one merge patch, or with no request when it is so already. Bound to
 * the object's uid: a namesake made in the meantime is a conflict, not a victim.
 */
export async function patchStatusIfChanged<T extends KubeObject & { status?: object }>(
  client: KubeClient,
  type: ResourceType<T>,
  live: T,
  nextStatus: NonNullable<T["status"]>,
  o: { fieldManager?: string | undefined; signal?: AbortSignal | undefined },
): Promise<{ object: T; written: boolean }> {
  throw new Error(`not built yet ${client} ${type.kind} ${live.kind} ${nextStatus} ${o.fieldManager}`);
}
