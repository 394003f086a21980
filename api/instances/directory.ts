import { type OpenClawInstance, type Tenant, tenantKey } from "#crds/index.ts";
import type { Informer } from "#lib/kube/informer.ts";
import { instanceName } from "./name.ts";
import { compareNewestFirst, type InstancePosition, positionOf } from "./position.ts";

/** Index of the informer by tenant key. */
const TENANT_INDEX = "tenant";

/** Index functions the instances' informer must have. */
export const INSTANCE_INDEXES = {
  [TENANT_INDEX]: (instance: OpenClawInstance): string[] => [tenantKeyOf(instance)],
};

/** Looks instances up by tenant in the cache; says nothing about how fresh the cache is. */
export interface InstanceDirectory {
  /** The tenant's instance; undefined when the cache has none. */
  find(tenant: Tenant): OpenClawInstance | undefined;
  /** Everybody's, newest first: the first `limit` of those that come after the position, of all without one. */
  list(o: { after: InstancePosition | undefined; limit: number }): OpenClawInstance[];
  /** Calls `listener` after each change of an instance of this tenant; the result unsubscribes. */
  subscribe(tenant: Tenant, listener: () => void): () => void;
}

/** A directory on an informer that has {@link INSTANCE_INDEXES}. */
export function createDirectory(informer: Informer<OpenClawInstance>): InstanceDirectory {
  const listeners = new Map<string, Set<() => void>>();
  informer.onChange(({ object }) => {
    for (const listener of listeners.get(tenantKeyOf(object)) ?? []) listener();
  });
  return {
    find: (tenant) => choose(informer.byIndex(TENANT_INDEX, tenantKey(tenant)), tenantKey(tenant)),
    list({ after, limit }) {
      const places = informer.list().map((instance) => ({ instance, place: positionOf(instance) }));
      return places
        .filter(({ place }) => !after || compareNewestFirst(after, place) < 0)
        .sort((a, b) => compareNewestFirst(a.place, b.place))
        .slice(0, limit)
        .map(({ instance }) => instance);
    },
    subscribe(tenant, listener) {
      const key = tenantKey(tenant);
      const set = listeners.get(key) ?? new Set();
      listeners.set(key, set.add(listener));
      return () => {
        set.delete(listener);
        if (set.size === 0 && listeners.get(key) === set) listeners.delete(key);
      };
    },
  };
}

function tenantKeyOf({ spec: { owner } }: OpenClawInstance): string {
  return tenantKey({ kind: owner.kind, subject: owner.subject });
}

/**
 * The instance made through the API goes first, then the oldest: one that the platform team made under another name serves its
 * owner as well.
 */
function choose(instances: OpenClawInstance[], key: string): OpenClawInstance | undefined {
  // The name is a hash, too much for every call when there is nothing to choose.
  if (instances.length < 2) return instances[0];
  const ownName = instanceName(key);
  const rank = ({ metadata }: OpenClawInstance) =>
    `${metadata.name === ownName ? 0 : 1}${metadata.creationTimestamp ?? ""}${metadata.name}`;
  return instances.toSorted((a, b) => (rank(a) < rank(b) ? -1 : 1))[0];
}
