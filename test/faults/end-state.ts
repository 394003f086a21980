import { ANNOTATION, INSTANCES } from "#crds/index.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import {
  CONFIG_MAPS,
  NETWORK_POLICIES,
  PERSISTENT_VOLUME_CLAIMS,
  PODS,
  SECRETS,
  SERVICES,
} from "#lib/kube/resource.ts";
import type { KubeObject } from "#lib/kube/types.ts";

const KINDS = [INSTANCES, SECRETS, CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, SERVICES, NETWORK_POLICIES, PODS] as const;
/** Every namespace has it from its control plane. */
const NOT_OURS: ReadonlySet<string> = new Set(["kube-root-ca.crt"]);

/** Uids by kind and name. */
export type Uids = ReadonlyMap<string, string | undefined>;

/** All objects in a namespace that an operator may have to do with. */
export async function readObjects(client: KubeClient, namespace: string): Promise<KubeObject[]> {
  const lists = await Promise.all(KINDS.map((type) => client.list<KubeObject>(type, { namespace })));
  return lists.flatMap(({ items }) => items).filter(({ metadata }) => !NOT_OURS.has(metadata.name));
}

/** Which objects these are. */
export function uidsOf(objects: readonly KubeObject[]): Uids {
  return new Map(objects.map((object) => [idOf(object), object.metadata.uid]));
}

/**
 * Objects without what is another in every run: ids, times, addresses, hashes over those. Each says whether it is the very
 * object that was there `before`.
 */
export function describeState(
  objects: readonly KubeObject[],
  before: Uids,
  namespace: string,
): Record<string, unknown> {
  return Object.fromEntries(
    objects.map((object) => {
      const id = idOf(object);
      const kept = before.get(id) === object.metadata.uid;
      return [plainText(id, namespace), { kept, ...(plain(object, namespace) as object) }];
    }),
  );
}

function idOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata.name}`;
}

const DROPPED: ReadonlySet<string> = new Set([
  "managedFields",
  "resourceVersion",
  "generation",
  "uid",
  "creationTimestamp",
  // The control plane's own notes on a volume, which it makes or not as its node is faster or slower.
  "volume.kubernetes.io/storage-provisioner",
  "volume.beta.kubernetes.io/storage-provisioner",
  // Who finds no pod cannot know whose change ended the last one, and counts the next as of a rollout until it is ready.
  ANNOTATION.rollout,
]);

function plain(value: unknown, namespace: string): unknown {
  if (Array.isArray(value)) return value.map((element) => plain(element, namespace));
  if (typeof value === "string") return plainText(value, namespace);
  if (typeof value !== "object" || value === null) return value;
  const secret = "kind" in value && value.kind === "Secret";
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !DROPPED.has(key))
      .map(([key, inner]) => [
        key.replaceAll(namespace, "NAMESPACE"),
        secret && key === "data" ? Object.keys(inner as object) : plain(inner, namespace),
      ]),
  );
}

function plainText(text: string, namespace: string): string {
  return text
    .replaceAll(namespace, "NAMESPACE")
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "UID")
    .replace(/\b[0-9a-f]{16,}\b/g, "HEX")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, "TIME")
    .replace(/\b(127|10)(\.\d{1,3}){3}\b/g, "ADDRESS");
}
