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
  /** The class can be used as it stands. */
  Ready: "Ready",
  /** Every instance of the class runs what the class says now. */
  RolledOut: "RolledOut",
} as const;
export type ClassConditionType = (typeof CLASS_CONDITION)[keyof typeof CLASS_CONDITION];

/** Why a condition is as it is: the whole list, so that alerts, the API and documentation can rely on it. */
export const REASON = {
  /** Nothing is wrong: the reason of every condition that is as wanted. */
  AsExpected: "AsExpected",
  /** Not looked at yet, or an earlier condition must hold first. */
  Pending: "Pending",

  /** The class named by `spec.className` does not exist. */
  ClassNotFound: "ClassNotFound",

  /** `gateway.config` sets a key that belongs to the operator; the message lists them. */
  ForbiddenConfigKey: "ForbiddenConfigKey",
  /** OpenClaw refused its configuration (exit 78); the message has its own words. */
  ConfigRejected: "ConfigRejected",
  /** `model.default` is not a model of the class. */
  ModelNotFound: "ModelNotFound",

  /** A child's name is taken by an object of someone else; nothing is overwritten. */
  NameTaken: "NameTaken",
  /** A ResourceQuota of the namespace has no room for a child. */
  QuotaExceeded: "QuotaExceeded",
  /** The apiserver refused a child for another cause (admission, PodSecurity, a validation); the message has its words. */
  ChildRefused: "ChildRefused",

  /** The volume claim is not bound yet. */
  ClaimPending: "ClaimPending",
  /** The volume behind the claim is gone. */
  ClaimLost: "ClaimLost",
  /** The volume claim is being deleted. */
  ClaimTerminating: "ClaimTerminating",
  /** The volume is growing to the wanted size. */
  ClaimResizing: "ClaimResizing",

  /** The pod was created and not yet scheduled, or its containers are starting. */
  PodStarting: "PodStarting",
  /** No node can take the pod. */
  Unschedulable: "Unschedulable",
  /** The image cannot be pulled. */
  ImagePullFailed: "ImagePullFailed",
  /** A container cannot be created (a missing Secret key, a bad mount); the message has the kubelet's words. */
  ContainerCreateFailed: "ContainerCreateFailed",
  /** OpenClaw ends again and again; the message has its last words. */
  CrashLoop: "CrashLoop",
  /** The container used more memory than its limit. */
  OutOfMemory: "OutOfMemory",
  /** The kubelet evicted the pod. */
  Evicted: "Evicted",
  /** The node stopped answering. */
  NodeLost: "NodeLost",
  /** The pod ended for another cause and is being replaced. */
  PodFailed: "PodFailed",
  /** The pod is being deleted and its replacement waits for that. */
  PodTerminating: "PodTerminating",
  /** The pod runs and is not ready by its own probe. */
  PodNotReady: "PodNotReady",

  /** The gateway has not been called yet. */
  ProbePending: "ProbePending",
  /** The gateway refused this slot's token: the address belongs to another pod, or the token is old. */
  GatewayUnauthorized: "GatewayUnauthorized",
  /** The gateway does not answer. */
  GatewaySilent: "GatewaySilent",
  /** The gateway answers with an error. */
  GatewayError: "GatewayError",
  /** The root key that derived this slot's credentials is no longer in the key ring. */
  KeyRetired: "KeyRetired",

  /** Running work is being finished before the pod is replaced or stopped. */
  Draining: "Draining",
  /** `runPolicy` is `Stopped`: no pod, the volume is kept. */
  Stopped: "Stopped",
  /** The instance is being deleted. */
  Terminating: "Terminating",
  /** Reading or writing the cluster failed; it is tried again. */
  ReconcileFailed: "ReconcileFailed",

  /** Instances of the class still wait for what the class says now. */
  RollingOut: "RollingOut",
} as const;
export type Reason = (typeof REASON)[keyof typeof REASON];

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
  Teardown: "teardown",
} as const;
export type Step = (typeof STEP)[keyof typeof STEP];
