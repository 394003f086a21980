import { GROUP, INSTANCES, LABEL } from "#crds/index.ts";
import { controllerOf } from "#lib/kube/owner.ts";
import { CONFIG_MAPS, NETWORK_POLICIES, PODS, SECRETS, SERVICES } from "#lib/kube/resource.ts";
import { type KubeObject, type ResourceType, refKey } from "#lib/kube/types.ts";
import { type Caches, cacheOf } from "../cache/caches.ts";

/** Kinds that are swept. Never a volume claim: one without an owner is kept on purpose, and its data is no rubbish of ours. */
export const SWEPT: readonly ResourceType[] = [PODS, SECRETS, CONFIG_MAPS, SERVICES, NETWORK_POLICIES];

/** A child that by the caches belongs to nobody any more. */
export interface Suspect {
  readonly type: ResourceType;
  readonly object: KubeObject;
  /** What must not exist for it to be an orphan: its instance, by name and by uid if that is known, or any instance of a class. */
  readonly missing: { readonly instance: string; readonly uid?: string } | { readonly class: string };
}

/** Children in the caches whose instance is not. Pure; a walk over all objects. */
export function findSuspects(caches: Caches): Suspect[] {
  const used = usedClasses(caches);
  return SWEPT.flatMap((type) =>
    cacheOf(caches, type)
      .list()
      .flatMap((object) => {
        const missing = object.metadata.deletionTimestamp ? undefined : missingOwner(object, caches, used);
        return missing ? [{ type, object, missing }] : [];
      }),
  );
}

function missingOwner(
  object: KubeObject,
  { instances }: Caches,
  used: ReadonlySet<string>,
): Suspect["missing"] | undefined {
  const { namespace = "", labels = {} } = object.metadata;
  const owner = controllerOf(object);
  if (owner) {
    // Another's child that carries our label is that one's affair.
    if (owner.kind !== INSTANCES.kind || !owner.apiVersion.startsWith(`${GROUP}/`)) return undefined;
    const named = instances.get(refKey({ namespace, name: owner.name }));
    return named?.metadata.uid === owner.uid ? undefined : { instance: owner.name, uid: owner.uid };
  }
  const { [LABEL.instance]: instance, [LABEL.class]: className } = labels;
  // An instance of its name finds it in its way, and says so.
  if (instance) return instances.get(refKey({ namespace, name: instance })) ? undefined : { instance };
  return className && !used.has(refKey({ namespace, name: className })) ? { class: className } : undefined;
}

/** Classes that have instances in a namespace, or still pods: a pod must not outlive what keeps it from the network. */
function usedClasses({ instances, pods }: Caches): ReadonlySet<string> {
  const used = [
    ...instances.list().map(({ metadata, spec }) => ({ ...metadata, name: spec.className })),
    ...pods.list().map(({ metadata }) => ({ ...metadata, name: metadata.labels?.[LABEL.class] ?? "" })),
  ];
  return new Set(used.map(refKey));
}
