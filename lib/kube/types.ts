/** The parts of `metadata` we read or write; whatever else the server sends stays on the object untouched. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  deletionGracePeriodSeconds?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

/** Who an object belongs to; ownership is by `uid`, the name is only for people. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** Any object of the Kubernetes API as it is on the wire (raw JSON: nothing is renamed, dropped or turned into a class). */
export interface KubeObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

/** Which object: `namespace` is left out for cluster-scoped kinds. */
export interface ObjectRef {
  name: string;
  namespace?: string;
}

/** A kind of object and where the API serves it. The core group is `""`. */
export interface ResourceType<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Carries the type of the objects; never set. */
  readonly __object?: T;
}

/** One step of a watch. In-stream errors are thrown as `KubeError`, they never appear as events. */
export type WatchEvent<T extends KubeObject = KubeObject> =
  | { type: "ADDED" | "MODIFIED" | "DELETED"; object: T }
  | { type: "BOOKMARK"; object: { metadata: { resourceVersion: string } } };

/** One page of a list. `continue` is the token of the next page, absent on the last. */
export interface ObjectList<T extends KubeObject = KubeObject> {
  items: T[];
  resourceVersion: string;
  continue?: string;
}

/**
 * A type of `@kubernetes/client-node` as it really is on the wire: `Date` is a string, and the names it had to escape
 * (`_from`, `_default`, `_continue`) are the real ones.
 */
export type Raw<T> = 0 extends 1 & T
  ? T
  : T extends Date
    ? string
    : T extends (infer Item)[]
      ? Raw<Item>[]
      : T extends object
        ? { [K in keyof T as WireName<K>]: Raw<T[K]> }
        : T;

type WireName<K> = K extends `_${infer Name}` ? Name : K;

/** The wire form of a client-node kind, with `apiVersion`, `kind` and `metadata.name` always there. */
export type Kind<T> = Omit<Raw<T>, "apiVersion" | "kind" | "metadata"> & KubeObject;

/** `namespace/name`, or `name` for a cluster-scoped object: the key of caches and queues. */
export function objectKey(object: { metadata: ObjectRef }): string {
  return refKey(object.metadata);
}

/** The cache and queue key of a reference. */
export function refKey(ref: ObjectRef): string {
  return ref.namespace ? `${ref.namespace}/${ref.name}` : ref.name;
}

/** The reference a key stands for. */
export function parseKey(key: string): ObjectRef {
  const slash = key.indexOf("/");
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) };
}
