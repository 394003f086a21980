import type { Informer } from "#lib/kube/informer.ts";
import type { Check } from "#lib/ops-server.ts";

/** Bookmarks come about once a minute, and a watch that is silent for 150 s is given up; beyond this the copy is old. */
const STALE_MS = 300_000;

/** A readiness check per cache: synced, and confirmed by the apiserver not long ago. */
export function freshnessChecks(informers: readonly Informer[]): Record<string, Check> {
  return Object.fromEntries(
    informers.map((informer) => [
      informer.type.plural,
      () => {
        if (!informer.hasSynced) return "not listed yet";
        const ageMs = informer.lastSyncAgeMs();
        return ageMs > STALE_MS ? `not confirmed by the apiserver for ${Math.round(ageMs / 1000)} s` : undefined;
      },
    ]),
  );
}
