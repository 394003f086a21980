import { createHash } from "node:crypto";
import { LABEL, OPERATOR_FIELD_MANAGER, type OpenClawInstance, tenantKey } from "#crds/index.ts";
import { ownerReference } from "#lib/kube/owner.ts";
import type { ObjectMeta } from "#lib/kube/types.ts";

/** Label by which the operator's caches find what it made; the apiserver filters by it. */
export const MANAGED_BY = { "app.kubernetes.io/managed-by": OPERATOR_FIELD_MANAGER } as const;

/** Label selector of everything the operator makes. */
export const MANAGED_SELECTOR = Object.entries(MANAGED_BY)
  .map(([key, value]) => `${key}=${value}`)
  .join(",");

/** Name that all children of a new instance get; afterwards `status.runtime.name` says it. */
export function runtimeName(instance: OpenClawInstance): string {
  return instance.status?.runtime?.name ?? `openclaw-${instance.metadata.name}`;
}

/** A tenant key as a label's value: opaque, of fixed length, and no word of whom it stands for. */
export function tenantHash(owner: OpenClawInstance["spec"]["owner"]): string {
  return createHash("sha256").update(tenantKey(owner)).digest("hex").slice(0, 32);
}

/** Labels that every child carries. */
export function childLabels(instance: OpenClawInstance): Record<string, string> {
  return {
    "app.kubernetes.io/name": "openclaw",
    "app.kubernetes.io/instance": instance.metadata.name,
    "app.kubernetes.io/part-of": "hatchery",
    ...MANAGED_BY,
    [LABEL.instance]: instance.metadata.name,
  };
}

/** Metadata of a child that goes with its instance. */
export function childMetadata(instance: OpenClawInstance, labels: Record<string, string> = {}): ObjectMeta {
  return {
    name: runtimeName(instance),
    ...(instance.metadata.namespace === undefined ? {} : { namespace: instance.metadata.namespace }),
    labels: { ...childLabels(instance), ...labels },
    ownerReferences: [ownerReference(instance, { controller: true })],
  };
}
