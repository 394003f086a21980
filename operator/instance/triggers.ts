import { isDeepStrictEqual } from "node:util";
import { LABEL } from "#crds/index.ts";
import type { Change, Informer } from "#lib/kube/informer.ts";
import { PRIORITY, type WorkQueue } from "#lib/kube/queue.ts";
import type { Node } from "#lib/kube/resource.ts";
import { type KubeObject, objectKey, refKey } from "#lib/kube/types.ts";
import { BY_CLASS, BY_NODE, type Caches } from "../cache/caches.ts";
import { ailmentOf } from "../cache/nodes.ts";

/**
 * Puts the key of an instance into the queue whenever something its plan is made from changed. Which event it was is forgotten
 * here; the reconcile looks at everything.
 */
export function triggerInstances(caches: Caches, queue: WorkQueue): void {
  caches.instances.onChange(({ key }) => queue.add(key, urgency(caches.instances)));
  const children: Informer[] = [caches.secrets, caches.configMaps, caches.claims, caches.services, caches.pods];
  for (const cache of children) onChildChange(cache, (key) => queue.add(key, urgency(cache)));
  onChildChange(caches.policies, (key) => queue.add(key, urgency(caches.policies)));
  caches.policies.onChange((change) => {
    const key = anyOfClass(caches, change);
    if (key !== undefined) queue.add(key, urgency(caches.policies));
  });
  // Nodes write all the time; only what becomes of one concerns its pods.
  const { nodes } = caches;
  nodes?.onChange((change) => {
    if (isSameHealth(change)) return;
    for (const pod of caches.pods.byIndex(BY_NODE, change.key)) {
      const name = pod.metadata.labels?.[LABEL.instance];
      const { namespace } = pod.metadata;
      if (name !== undefined && namespace !== undefined) queue.add(refKey({ namespace, name }), urgency(nodes));
    }
  });
  // A class reaches all its instances; whoever waits for something else goes first.
  caches.classes.onChange(({ type, object, previous }) => {
    // Its status is no instance's concern.
    if (type === "updated" && object.metadata.generation === previous?.metadata.generation) return;
    for (const instance of caches.instances.byIndex(BY_CLASS, object.metadata.name)) {
      queue.add(objectKey(instance), { priority: PRIORITY.initial });
    }
  });
}

/** The first list says nothing new of most objects: what changes meanwhile goes first. */
function urgency(cache: Informer): { priority: number } {
  return { priority: cache.hasSynced ? PRIORITY.normal : PRIORITY.initial };
}

function onChildChange(cache: Informer, wake: (key: string) => void): void {
  cache.onChange((change: Change<KubeObject>) => {
    const name = change.object.metadata.labels?.[LABEL.instance] ?? change.previous?.metadata.labels?.[LABEL.instance];
    const { namespace } = change.object.metadata;
    if (name !== undefined && namespace !== undefined) wake(refKey({ namespace, name }));
  });
}

/** A policy that a class's pods share is put right by any one of the instances: the first that is there. */
function anyOfClass(caches: Caches, { object, previous }: Change<KubeObject>): string | undefined {
  const className = object.metadata.labels?.[LABEL.class] ?? previous?.metadata.labels?.[LABEL.class];
  if (className === undefined) return undefined;
  const instance = caches.instances
    .byIndex(BY_CLASS, className)
    .find(({ metadata }) => metadata.namespace === object.metadata.namespace && !metadata.deletionTimestamp);
  return instance && objectKey(instance);
}

function isSameHealth({ type, object, previous }: Change<Node>): boolean {
  if (type !== "updated" || !previous) return false;
  return isDeepStrictEqual(ailmentOf(object), ailmentOf(previous));
}
