import { canonicalJson, isRecord } from "./canonical-json.ts";
import type { KubeClient } from "./client.ts";
import type { KubeObject, ResourceType } from "./types.ts";

/**
 * Makes `nextStatus` the whole status of `live`, with one merge patch, or with no request when it is so already. Bound to
 * the object's uid: a namesake made in the meantime is a conflict, not a victim.
 * @throws KubeError as of `KubeClient.mergePatch`.
 */
export async function patchStatusIfChanged<T extends KubeObject & { status?: object }>(
  client: KubeClient,
  type: ResourceType<T>,
  live: T,
  nextStatus: NonNullable<T["status"]>,
  o: { fieldManager?: string | undefined; signal?: AbortSignal | undefined } = {},
): Promise<{ object: T; written: boolean }> {
  if (canonicalJson(live.status ?? {}) === canonicalJson(nextStatus)) return { object: live, written: false };
  const { uid } = live.metadata;
  const patch = { metadata: { uid }, status: replacement(live.status ?? {}, nextStatus) };
  const object = await client.mergePatch(type, live.metadata, patch, { ...o, subresource: "status" });
  return { object, written: true };
}

/**
 * A merge patch that leaves nothing of `before` but what `next` says. It names all of `next`, not only what differs: the
 * copy we compared with may be older than the object.
 */
function replacement(before: object, next: object): object {
  const now = next as Record<string, unknown>;
  const gone = Object.keys(before).filter((key) => now[key] === undefined);
  const kept = Object.entries(now).map(([key, value]) => {
    const old = (before as Record<string, unknown>)[key];
    return [key, isRecord(value) && isRecord(old) ? replacement(old, value) : value];
  });
  return Object.fromEntries([...gone.map((key) => [key, null]), ...kept]);
}
