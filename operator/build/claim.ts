import { type ClassSpec, LABEL, type OpenClawInstance, parseQuantity } from "#crds/index.ts";
import { controllerOf, ownerReference } from "#lib/kube/owner.ts";
import type { PersistentVolumeClaim } from "#lib/kube/resource.ts";
import { childMetadata, tenantHash } from "./identity.ts";

/** What becomes of the volume with the instance: the instance's word, else the class's. */
export function deletionPolicy(instance: OpenClawInstance, plan: ClassSpec): "Delete" | "Retain" {
  return instance.spec.deletionPolicy ?? plan.deletionPolicy;
}

/**
 * The volume claim. It belongs to the instance only under deletionPolicy Delete, so that nothing else can ever collect it;
 * retained, its labels say whose it is. Of an existing claim what cannot change is taken as it is, and it never shrinks.
 */
export function buildClaim(
  instance: OpenClawInstance,
  plan: ClassSpec,
  slot: string,
  live?: PersistentVolumeClaim,
): PersistentVolumeClaim {
  const { ownerReferences: _, ...metadata } = childMetadata(instance, {
    [LABEL.slot]: slot,
    [LABEL.tenant]: tenantHash(instance.spec.owner),
  });
  const storageClassName = live
    ? live.spec?.storageClassName
    : (instance.spec.storage?.storageClassName ?? plan.storage.storageClassName);
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata:
      deletionPolicy(instance, plan) === "Delete"
        ? { ...metadata, ownerReferences: [ownerReference(instance, { controller: true })] }
        : metadata,
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: claimSize(instance, plan, live) } },
      ...(storageClassName === undefined ? {} : { storageClassName }),
    },
  };
}

function claimSize(instance: OpenClawInstance, plan: ClassSpec, live?: PersistentVolumeClaim): string {
  const wanted = instance.spec.storage?.size ?? plan.storage.size;
  const current = live?.spec?.resources?.requests?.storage;
  return current !== undefined && parseQuantity(current) >= parseQuantity(wanted) ? current : wanted;
}

/**
 * The merge patch that brings a claim to `wanted` where a claim can change: size, labels, owner. Undefined when there is
 * nothing to change. Bound to the claim's uid, so that it never hits a namesake.
 */
export function claimPatch(live: PersistentVolumeClaim, wanted: PersistentVolumeClaim): object | undefined {
  const size = wanted.spec?.resources?.requests?.storage;
  const grows = size !== live.spec?.resources?.requests?.storage;
  const labels = Object.fromEntries(
    Object.entries(wanted.metadata.labels ?? {}).filter(([key, value]) => live.metadata.labels?.[key] !== value),
  );
  const relabelled = Object.keys(labels).length > 0;
  const owner = controllerOf(wanted);
  const reowned = controllerOf(live)?.uid !== owner?.uid;
  if (!grows && !relabelled && !reowned) return undefined;
  const others = (live.metadata.ownerReferences ?? []).filter(({ controller }) => !controller);
  return {
    metadata: {
      uid: live.metadata.uid,
      ...(relabelled ? { labels } : {}),
      ...(reowned ? { ownerReferences: owner ? [...others, owner] : others } : {}),
    },
    ...(grows ? { spec: { resources: { requests: { storage: size } } } } : {}),
  };
}
