import { INSTANCES, type OpenClawInstance } from "#crds/index.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import type { Write } from "./write.ts";

/**
 * False for an instance that was deleted and of which the cache has not heard. Its children go missing one after the other as
 * they are collected, and each one made anew would be collected too, for as long as the watch is behind. So the apiserver is
 * asked before a child is made for an instance that had all of them; a new instance, that has none, costs no request.
 */
export async function isStillThere(
  client: KubeClient,
  instance: OpenClawInstance,
  writes: readonly Write[],
  signal: AbortSignal,
): Promise<boolean> {
  const { metadata, status } = instance;
  const makes = writes.some((write) => write.verb === "create" && write.body.metadata.ownerReferences !== undefined);
  if (!makes || status?.runtime === undefined) return true;
  const live = await client.get(INSTANCES, metadata, { signal });
  return live?.metadata.uid === metadata.uid && live?.metadata.deletionTimestamp === undefined;
}
