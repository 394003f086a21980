import type {
  CoreV1Event,
  EventsV1Event,
  V1ConfigMap,
  V1CustomResourceDefinition,
  V1Deployment,
  V1EndpointSlice,
  V1Lease,
  V1Namespace,
  V1NetworkPolicy,
  V1Node,
  V1PersistentVolume,
  V1PersistentVolumeClaim,
  V1Pod,
  V1Secret,
  V1Service,
  V1ServiceAccount,
  V1StorageClass,
} from "@kubernetes/client-node";
import type { Kind, ResourceType } from "./types.ts";

export type Pod = Kind<V1Pod>;
export type Secret = Kind<V1Secret>;
export type ConfigMap = Kind<V1ConfigMap>;
export type Service = Kind<V1Service>;
export type ServiceAccount = Kind<V1ServiceAccount>;
export type PersistentVolumeClaim = Kind<V1PersistentVolumeClaim>;
export type PersistentVolume = Kind<V1PersistentVolume>;
export type NetworkPolicy = Kind<V1NetworkPolicy>;
export type Lease = Kind<V1Lease>;
export type Namespace = Kind<V1Namespace>;
export type Node = Kind<V1Node>;
export type StorageClass = Kind<V1StorageClass>;
export type EndpointSlice = Kind<V1EndpointSlice>;
export type Deployment = Kind<V1Deployment>;
export type CustomResourceDefinition = Kind<V1CustomResourceDefinition>;
/** An event of `events.k8s.io/v1`. */
export type Event = Kind<EventsV1Event>;
/** An event of the core group, as older writers make them. */
export type CoreEvent = Kind<CoreV1Event>;

export const PODS: ResourceType<Pod> = core("Pod", "pods");
export const SECRETS: ResourceType<Secret> = core("Secret", "secrets");
export const CONFIG_MAPS: ResourceType<ConfigMap> = core("ConfigMap", "configmaps");
export const SERVICES: ResourceType<Service> = core("Service", "services");
export const SERVICE_ACCOUNTS: ResourceType<ServiceAccount> = core("ServiceAccount", "serviceaccounts");
export const PERSISTENT_VOLUME_CLAIMS: ResourceType<PersistentVolumeClaim> = core(
  "PersistentVolumeClaim",
  "persistentvolumeclaims",
);
export const PERSISTENT_VOLUMES: ResourceType<PersistentVolume> = core("PersistentVolume", "persistentvolumes", false);
export const NAMESPACES: ResourceType<Namespace> = core("Namespace", "namespaces", false);
export const NODES: ResourceType<Node> = core("Node", "nodes", false);
export const CORE_EVENTS: ResourceType<CoreEvent> = core("Event", "events");
export const EVENTS: ResourceType<Event> = grouped("events.k8s.io", "Event", "events");
export const LEASES: ResourceType<Lease> = grouped("coordination.k8s.io", "Lease", "leases");
export const NETWORK_POLICIES: ResourceType<NetworkPolicy> = grouped(
  "networking.k8s.io",
  "NetworkPolicy",
  "networkpolicies",
);
export const STORAGE_CLASSES: ResourceType<StorageClass> = grouped(
  "storage.k8s.io",
  "StorageClass",
  "storageclasses",
  false,
);
export const ENDPOINT_SLICES: ResourceType<EndpointSlice> = grouped(
  "discovery.k8s.io",
  "EndpointSlice",
  "endpointslices",
);
export const DEPLOYMENTS: ResourceType<Deployment> = grouped("apps", "Deployment", "deployments");
export const CUSTOM_RESOURCE_DEFINITIONS: ResourceType<CustomResourceDefinition> = grouped(
  "apiextensions.k8s.io",
  "CustomResourceDefinition",
  "customresourcedefinitions",
  false,
);

/** `v1` or `group/version`, as written in an object. */
export function apiVersion(type: ResourceType): string {
  return type.group === "" ? type.version : `${type.group}/${type.version}`;
}

function core(kind: string, plural: string, namespaced = true): ResourceType<never> {
  return { group: "", version: "v1", kind, plural, namespaced };
}

function grouped(group: string, kind: string, plural: string, namespaced = true): ResourceType<never> {
  return { group, version: "v1", kind, plural, namespaced };
}
