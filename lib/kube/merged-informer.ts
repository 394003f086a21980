import type { Informer } from "./informer.ts";
import { type KubeObject, parseKey, type ResourceType } from "./types.ts";

/**
 * One cache out of one informer per namespace, for who may list and watch in some namespaces but not in the cluster. Synced
 * when all are, and as old as the oldest.
 * @throws TypeError from `assume` for an object of a namespace that is not among them.
 */
export function mergeInformers<T extends KubeObject>(
  type: ResourceType<T>,
  parts: ReadonlyMap<string, Informer<T>>,
): Informer<T> {
  const all = [...parts.values()];
  const of = (namespace: string | undefined) => parts.get(namespace ?? "");
  return {
    type,
    get: (key) => of(parseKey(key).namespace)?.get(key),
    list: () => all.flatMap((part) => part.list()),
    byIndex: (index, value) => all.flatMap((part) => part.byIndex(index, value)),
    get hasSynced() {
      return all.every((part) => part.hasSynced);
    },
    copies: all.flatMap((part) => part.copies),
    async synced(signal) {
      await Promise.all(all.map((part) => part.synced(signal)));
    },
    lastSyncAgeMs: () => Math.max(...all.map((part) => part.lastSyncAgeMs())),
    onChange(handler) {
      const ends = all.map((part) => part.onChange(handler));
      return () => {
        for (const end of ends) end();
      };
    },
    assume(object) {
      const { namespace = "" } = object.metadata;
      const part = of(namespace);
      if (!part) throw new TypeError(`no cache of ${type.plural} in the namespace "${namespace}"`);
      part.assume(object);
    },
    async run(signal) {
      // One that fails ends the others: half a copy is no copy.
      const failure = new AbortController();
      const either = AbortSignal.any([signal, failure.signal]);
      await Promise.all(
        all.map(async (part) => {
          try {
            await part.run(either);
          } catch (error) {
            failure.abort();
            throw error;
          }
        }),
      );
    },
  };
}
