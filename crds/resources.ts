import type { ResourceType } from "#lib/kube/types.ts";
import { GROUP, VERSION } from "./names.ts";
import type { OpenClawClass, OpenClawInstance } from "./types.ts";

/** OpenClawInstances, namespaced. */
export const INSTANCES: ResourceType<OpenClawInstance> = {
  group: GROUP,
  version: VERSION,
  kind: "OpenClawInstance",
  plural: "openclawinstances",
  namespaced: true,
};

/** OpenClawClasses, cluster-scoped. */
export const CLASSES: ResourceType<OpenClawClass> = {
  group: GROUP,
  version: VERSION,
  kind: "OpenClawClass",
  plural: "openclawclasses",
  namespaced: false,
};
