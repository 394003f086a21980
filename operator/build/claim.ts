import { type ClassSpec, LABEL, type OpenClawInstance } from "#crds/index.ts";
import { controllerOf, ownerReference } from "#lib/kube/owner.ts";
import { readQuantity } from "#lib/kube/quantity.ts";
import type { PersistentVolumeClaim } from "#lib/kube/resource.ts";
import type { ObjectMeta } from "#lib/kube/types.ts";
import { childMetadata, tenantHash } from "./identity.ts";

/** What becomes of a volume with its instance. */
export type DeletionPolicy = ClassSpec["deletionPolicy"];

/** The instance's word, else the class's; undefined when it says nothing and its class is gone. */
export function deletionPolicy(instance: OpenClawInstance, plan: ClassSpec): DeletionPolicy;
export function deletionPolicy(instance: OpenClawInstance, plan: ClassSpec | undefined): DeletionPolicy | undefined;
export function deletionPolicy(instance: OpenClawInstance, plan: ClassSpec | undefined): DeletionPolicy | undefined {
  return instance.spec.deletionPolicy ?? plan?.deletionPolicy;
}

/**
 * Whose the volume claim is. It belongs to the instance only under deletionPolicy Delete, so that nothing else can ever
 * collect it; retained, its labels say whose it is.
 */
export function claimMetadata(instance: OpenClawInstance, slot: string, policy: DeletionPolicy): ObjectMeta {
  const { ownerReferences: _, ...metadata } = childMetadata(instance, {
    [LABEL.slot]: slot,
    [LABEL.tenant]: tenantHash(instance.spec.owner),
  });
  if (policy === "Retain") return metadata;
  return { ...metadata, ownerReferences: [ownerReference(instance, { controller: true })] };
}

/** The volume claim. Of an existing one what cannot change is taken as it is, and it never shrinks. */
export function buildClaim(
  instance: OpenClawInstance,
  plan: ClassSpec,
  slot: string,
  live?: PersistentVolumeClaim,
): PersistentVolumeClaim {
  const storageClassName = live
    ? live.spec?.storageClassName
    : (instance.spec.storage?.storageClassName ?? plan.storage.storageClassName);
  return {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: claimMetadata(instance, slot, deletionPolicy(instance, plan)),
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
  if (current === undefined) return wanted;
  const is = readQuantity(current);
  const due = readQuantity(wanted);
  return is !== undefined && due !== undefined && is < due ? wanted : current;
}

/**
 * The merge patch that brings a claim's owner and labels to these: whether the volume outlives the instance must
 * not depend on anything else. Undefined when there is nothing to change. Bound to the claim's uid, so that it never hits a
 * namesake.
 */
export function ownershipPatch(live: PersistentVolumeClaim, wanted: ObjectMeta): object | undefined {
  const labels = Object.fromEntries(
    Object.entries(wanted.labels ?? {}).filter(([key, value]) => live.metadata.labels?.[key] !== value),
  );
  const relabelled = Object.keys(labels).length > 0;
  const owner = controllerOf({ metadata: wanted });
  const reowned = controllerOf(live)?.uid !== owner?.uid;
  if (!relabelled && !reowned) return undefined;
  const others = (live.metadata.ownerReferences ?? []).filter(({ controller }) => !controller);
  return {
    metadata: {
      uid: live.metadata.uid,
      ...(relabelled ? { labels } : {}),
      ...(reowned ? { ownerReferences: owner ? [...others, owner] : others } : {}),
    },
  };
}

/** As `ownershipPatch`, to the size of `wanted`. A storage class may refuse it. */
export function growthPatch(live: PersistentVolumeClaim, wanted: PersistentVolumeClaim): object | undefined {
  const size = wanted.spec?.resources?.requests?.storage;
  if (size === live.spec?.resources?.requests?.storage) return undefined;
  return { metadata: { uid: live.metadata.uid }, spec: { resources: { requests: { storage: size } } } };
}
