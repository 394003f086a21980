import { canonicalJson, isRecord } from "./canonical-json.ts";
import type { KubeClient } from "./client.ts";
import { isConflict } from "./errors.ts";
import type { KubeObject, ResourceType } from "./types.ts";

/** Others may write the object (never its status) between our read and our write; so often in a row only in a fight. */
const MAX_TRIES = 5;

/**
 * Makes `nextStatus` the whole status of `live`, with one merge patch, or with no request when it is so already. Where
 * somebody else changed the object since, it is read again and the status written all the same: we are its only writer.
 * @throws KubeError as of `KubeClient.mergePatch`; a conflict when `live` is gone and a namesake is there, which is not touched.
 */
export async function patchStatusIfChanged<T extends KubeObject & { status?: object }>(
  client: KubeClient,
  type: ResourceType<T>,
  live: T,
  nextStatus: NonNullable<T["status"]>,
  o: { fieldManager?: string | undefined; signal?: AbortSignal | undefined } = {},
): Promise<{ object: T; written: boolean }> {
  let current = live;
  for (let tries = 1; ; tries++) {
    if (canonicalJson(current.status ?? {}) === canonicalJson(nextStatus)) return { object: current, written: false };
    try {
      // The server does not look at a uid in the patch of a custom resource's status, only at the resourceVersion.
      const { resourceVersion } = current.metadata;
      const patch = { metadata: { resourceVersion }, status: replacement(current.status ?? {}, nextStatus) };
      const object = await client.mergePatch(type, live.metadata, patch, { ...o, subresource: "status" });
      return { object, written: true };
    } catch (error) {
      if (!isConflict(error) || tries >= MAX_TRIES) throw error;
      const newer = await client.get(type, live.metadata, { signal: o.signal });
      if (newer?.metadata.uid !== live.metadata.uid) throw error;
      current = newer as T;
    }
  }
}

/** A merge patch that leaves nothing of `before` but what `next` says. */
function replacement(before: object, next: object): object {
  const now = next as Record<string, unknown>;
  const gone = Object.keys(before).filter((key) => now[key] === undefined);
  const kept = Object.entries(now).map(([key, value]) => {
    const old = (before as Record<string, unknown>)[key];
    return [key, isRecord(value) && isRecord(old) ? replacement(old, value) : value];
  });
  return Object.fromEntries([...gone.map((key) => [key, null]), ...kept]);
}
