import { Counter, type Registry } from "prom-client";
import { INSTANCES } from "#crds/index.ts";
import { type Clock, sleep } from "#lib/clock.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { isConflict } from "#lib/kube/errors.ts";
import type { ManagedController } from "#lib/kube/manager.ts";
import type { Logger } from "#lib/log.ts";
import type { Caches } from "../cache/caches.ts";
import { findSuspects, type Suspect, SWEPT } from "./orphans.ts";

/** Pause between two sweeps, and for how long an orphan must have been one: the garbage collector comes first. */
const INTERVAL_MS = 600_000;
/** Share by which a pause is moved, at random, either way. */
const JITTER = 0.1;

/** What a sweep is made of. */
export interface SweepOptions {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry: Registry;
  /** In [0, 1); default Math.random. */
  readonly random?: () => number;
}

/** Work of the leader that no event calls for. */
export interface Sweep extends ManagedController {
  /** One look at everything; answers how many orphans were deleted. What cannot be asked or deleted is left for the next. */
  sweep(signal: AbortSignal): Promise<number>;
}

/**
 * Deletes children that nobody owns and that garbage collection does not reach: those that lost their owner reference, and
 * the network policies of classes that no instance of the namespace is of. It looks at the caches; only of a child that
 * has looked abandoned for a whole pause it asks the apiserver, so a tidy cluster is not asked at all.
 */
export function createSweep({ client, caches, clock, log, registry, random = Math.random }: SweepOptions): Sweep {
  const deleted = new Counter({
    name: "hatchery_orphans_deleted_total",
    help: "Children without an instance that the sweep deleted.",
    labelNames: ["resource"],
    registers: [registry],
  });
  for (const { plural } of SWEPT) deleted.inc({ resource: plural }, 0);
  /** Since when each suspect is one (`monotonic`), by uid. */
  let since = new Map<string, number>();

  async function sweep(signal: AbortSignal): Promise<number> {
    const now = clock.monotonic();
    const suspects = findSuspects(caches);
    since = new Map(suspects.map(({ object }) => [uidOf(object), since.get(uidOf(object)) ?? now]));
    let count = 0;
    for (const suspect of suspects) {
      if (signal.aborted) break;
      const age = now - (since.get(uidOf(suspect.object)) ?? now);
      if (age >= INTERVAL_MS * (1 - JITTER) && (await remove(suspect, signal))) count++;
    }
    return count;
  }

  /** One at a time and after a look at the world itself: nothing waits for this. */
  async function remove({ type, object, missing }: Suspect, signal: AbortSignal): Promise<boolean> {
    const { name, namespace = "", uid = "", resourceVersion = "" } = object.metadata;
    const about = { kind: type.kind, namespace, name, missing };
    try {
      if (!(await isMissing(missing, namespace, signal))) return false;
      // Changed since, say by one who adopts it, it is another case.
      await client.delete(type, { name, namespace }, { uid, resourceVersion, signal });
    } catch (error) {
      if (signal.aborted) return false;
      if (!isConflict(error)) log.warn({ ...about, err: error }, "could not delete an orphan");
      return false;
    }
    deleted.inc({ resource: type.plural });
    log.info(about, "deleted an orphan");
    return true;
  }

  async function isMissing(missing: Suspect["missing"], namespace: string, signal: AbortSignal): Promise<boolean> {
    if ("class" in missing) {
      const fieldSelector = `spec.className=${missing.class}`;
      return (await client.list(INSTANCES, { namespace, fieldSelector, limit: 1, signal })).items.length === 0;
    }
    const instance = await client.get(INSTANCES, { namespace, name: missing.instance }, { signal });
    return instance === undefined || (missing.uid !== undefined && instance.metadata.uid !== missing.uid);
  }

  return {
    sweep,
    async run(signal, abandon) {
      const end = abandon ? AbortSignal.any([signal, abandon]) : signal;
      for (;;) {
        await sleep(clock, INTERVAL_MS * (1 + JITTER * (2 * random() - 1)), end);
        if (end.aborted) return;
        await sweep(end);
      }
    },
  };
}

function uidOf({ metadata }: { metadata: { uid?: string } }): string {
  return metadata.uid ?? "";
}
