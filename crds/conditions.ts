/** Condition types of an OpenClawInstance. `Ready` is derived from the others and written last. */
export const CONDITION = {
  Ready: "Ready",
  ClassFound: "ClassFound",
  ConfigValid: "ConfigValid",
  StorageReady: "StorageReady",
  PodReady: "PodReady",
  GatewayReachable: "GatewayReachable",
  ModelConfigured: "ModelConfigured",
} as const;
export type ConditionType = (typeof CONDITION)[keyof typeof CONDITION];

/** Condition types of an OpenClawClass. */
export const CLASS_CONDITION = {
  ConfigValid: "ConfigValid",
  RolledOut: "RolledOut",
} as const;

/** One word for people; derived from the conditions, never decided on. */
export const PHASE = {
  Provisioning: "Provisioning",
  Ready: "Ready",
  Stopped: "Stopped",
  Failed: "Failed",
  Terminating: "Terminating",
} as const;
export type Phase = (typeof PHASE)[keyof typeof PHASE];

/** The link of the chain a failure belongs to (`status.failure.step`). */
export const STEP = {
  Class: "class",
  Config: "config",
  Secret: "secret",
  Storage: "storage",
  Network: "network",
  Pod: "pod",
  Gateway: "gateway",
  Model: "model",
} as const;
export type Step = (typeof STEP)[keyof typeof STEP];
