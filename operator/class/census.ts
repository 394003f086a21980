import { CONDITION, type OpenClawInstance } from "#crds/index.ts";
import { isConditionTrue } from "#lib/kube/conditions.ts";
import type { Caches } from "../cache/caches.ts";

/** How many instances a class has. */
export interface Count {
  readonly instances: number;
  /** Those of them that are ready. */
  readonly ready: number;
}

/** Counts instances by class as they come, change and go: a change costs the same whether there are ten or ten thousand. */
export interface Census {
  count(className: string): Count;
}

/** A census of a cache that is still empty. `onChange` is told of each class whose count, or the fault of an instance, changed. */
export function takeCensus({ instances }: Pick<Caches, "instances">, onChange: (className: string) => void): Census {
  const counts = new Map<string, Count>();

  function add(className: string, share: Count, sign: 1 | -1): void {
    const before = counts.get(className) ?? NOBODY;
    const now = {
      instances: before.instances + sign * share.instances,
      ready: before.ready + sign * share.ready,
    };
    if (now.instances === 0) counts.delete(className);
    else counts.set(className, now);
  }

  instances.onChange(({ type, object, previous }) => {
    const before = type === "added" ? undefined : previous;
    const now = type === "deleted" ? undefined : object;
    if (before && now && standing(before) === standing(now)) return;
    for (const [instance, sign] of [[before, -1] as const, [now, 1] as const]) {
      if (!instance) continue;
      add(instance.spec.className, shareOf(instance), sign);
      onChange(instance.spec.className);
    }
  });

  return { count: (className) => counts.get(className) ?? NOBODY };
}

const NOBODY: Count = { instances: 0, ready: 0 };

/** One that is being deleted counts no more. */
function shareOf({ metadata, status }: OpenClawInstance): Count {
  if (metadata.deletionTimestamp) return NOBODY;
  return { instances: 1, ready: isConditionTrue(status?.conditions, CONDITION.Ready) ? 1 : 0 };
}

/** All that a class's status says of an instance, as one text. */
function standing(instance: OpenClawInstance): string {
  const { instances, ready } = shareOf(instance);
  return [instance.spec.className, instances, ready, instance.status?.failure?.reason ?? ""].join("/");
}
