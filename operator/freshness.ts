import type { Informer } from "#lib/kube/informer.ts";
import type { Check } from "#lib/ops-server.ts";

/** Bookmarks come about once a minute, and a watch that is silent for 150 s is given up; beyond this the copy is old. */
const STALE_MS = 300_000;

/** A readiness check per cache and namespace: synced, and confirmed by the apiserver not long ago; else, why it is not. */
export function freshnessChecks(informers: readonly Pick<Informer, "copies">[]): Record<string, Check> {
  return Object.fromEntries(
    informers
      .flatMap(({ copies }) => copies)
      .map((copy) => [
        copy.name,
        () => {
          const ageMs = copy.lastSyncAgeMs();
          if (copy.hasSynced && ageMs <= STALE_MS) return undefined;
          const fault = copy.hasSynced
            ? `not confirmed by the apiserver for ${Math.round(ageMs / 1000)} s`
            : "not listed yet";
          return copy.lastError ? `${fault}: ${copy.lastError.message}` : fault;
        },
      ]),
  );
}
