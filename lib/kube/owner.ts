import type { KubeObject, OwnerReference } from "./types.ts";

/**
 * A reference to put on a child. With `controller` the child has one master, whose deletion in the foreground waits
 * for the child (`blockOwnerDeletion`).
 * @throws TypeError when the owner has no uid: it was never read from the apiserver, and the collector would delete the child.
 */
export function ownerReference(owner: KubeObject, o: { controller?: boolean } = {}): OwnerReference {
  const { name, uid } = owner.metadata;
  if (!uid) throw new TypeError(`${owner.kind} ${name} has no uid and cannot own anything`);
  const reference = { apiVersion: owner.apiVersion, kind: owner.kind, name, uid };
  return o.controller ? { ...reference, controller: true, blockOwnerDeletion: true } : reference;
}

/** The reference of the one controller of this object, if it has one. */
export function controllerOf(object: Pick<KubeObject, "metadata">): OwnerReference | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}
