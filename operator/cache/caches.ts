import type { Registry } from "prom-client";
import { CLASSES, INSTANCES, type OpenClawClass, type OpenClawInstance } from "#crds/index.ts";
import type { Clock } from "#lib/clock.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { createInformer, type Informer, type InformerOptions } from "#lib/kube/informer.ts";
import { mergeInformers } from "#lib/kube/merged-informer.ts";
import {
  CONFIG_MAPS,
  type ConfigMap,
  NETWORK_POLICIES,
  type NetworkPolicy,
  NODES,
  type Node,
  PERSISTENT_VOLUME_CLAIMS,
  type PersistentVolumeClaim,
  PODS,
  type Pod,
  SECRETS,
  SERVICES,
  type Secret,
  type Service,
} from "#lib/kube/resource.ts";
import type { KubeObject, ResourceType } from "#lib/kube/types.ts";
import type { Logger } from "#lib/log.ts";
import { MANAGED_SELECTOR } from "../build/identity.ts";
import { trimConfigMap, trimNode, trimPod, trimSecret } from "./trim.ts";

/** Index of the instances by the class they name. */
export const BY_CLASS = "class";
/** Index of the pods by the node they are bound to. */
export const BY_NODE = "node";

/** Live copies of all that the operator reads. Of children only what carries the operator's label, filtered by the apiserver. */
export interface Caches {
  readonly instances: Informer<OpenClawInstance>;
  readonly classes: Informer<OpenClawClass>;
  readonly secrets: Informer<Secret>;
  readonly configMaps: Informer<ConfigMap>;
  readonly claims: Informer<PersistentVolumeClaim>;
  readonly services: Informer<Service>;
  readonly policies: Informer<NetworkPolicy>;
  readonly pods: Informer<Pod>;
  /** Absent where nodes may not be read. */
  readonly nodes?: Informer<Node>;
}

/** What informers are made of. */
export interface CacheOptions {
  readonly client: KubeClient;
  /** The namespaces whose objects are read; undefined = all. */
  readonly namespaces?: readonly string[] | undefined;
  /** Whether nodes may be read. */
  readonly nodes: boolean;
  readonly log: Logger;
  readonly clock: Clock;
  readonly registry: Registry;
}

/** Caches that do not run yet. */
export function createCaches({ namespaces, nodes, ...o }: CacheOptions): Caches {
  const cache = <T extends KubeObject>(
    options: Pick<InformerOptions<T>, "type" | "indexes" | "transform" | "labelSelector">,
  ) =>
    namespaces
      ? mergeInformers(
          options.type,
          new Map(namespaces.map((namespace) => [namespace, createInformer({ ...o, ...options, namespace })])),
        )
      : createInformer({ ...o, ...options });
  const labelSelector = MANAGED_SELECTOR;
  return {
    instances: cache({ type: INSTANCES, indexes: { [BY_CLASS]: ({ spec }) => [spec.className] } }),
    classes: createInformer({ ...o, type: CLASSES }),
    secrets: cache({ labelSelector, type: SECRETS, transform: trimSecret }),
    configMaps: cache({ labelSelector, type: CONFIG_MAPS, transform: trimConfigMap }),
    claims: cache({ labelSelector, type: PERSISTENT_VOLUME_CLAIMS }),
    services: cache({ labelSelector, type: SERVICES }),
    policies: cache({ labelSelector, type: NETWORK_POLICIES }),
    pods: cache({ labelSelector, type: PODS, transform: trimPod, indexes: { [BY_NODE]: nodeOf } }),
    ...(nodes ? { nodes: createInformer({ ...o, type: NODES, transform: trimNode }) } : {}),
  };
}

function nodeOf({ spec }: Pod): string[] {
  return spec?.nodeName === undefined ? [] : [spec.nodeName];
}

/** The cache of a kind of children. @throws TypeError for a kind the operator does not keep. */
export function cacheOf<T extends KubeObject>(caches: Caches, type: ResourceType<T>): Informer<T> {
  const all: readonly Informer[] = Object.values(caches);
  const cache = all.find((informer) => informer.type.plural === type.plural);
  if (!cache) throw new TypeError(`there is no cache of ${type.plural}`);
  return cache as unknown as Informer<T>;
}
