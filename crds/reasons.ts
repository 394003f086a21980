/** Why a condition is as it is: the whole list with its meaning, so that alerts, the API and the documentation can rely on it. */
export const REASON_MEANING = {
  AsExpected: "Nothing is wrong: the reason of every condition that is as wanted.",
  Pending: "Not looked at yet, or an earlier condition must hold first.",

  ClassNotFound: "The class named by `spec.className` does not exist.",
  RollingOut: "A change of the class is on its way to its instances.",
  RolloutStuck: "Instances that took a change of the class do not become ready, so it goes no further.",

  ForbiddenConfigKey: "`gateway.config` sets a key that belongs to the operator or the class; the message lists them.",
  ConfigRejected: "OpenClaw refused its configuration; the message has its own words.",
  ConfigChecking: "OpenClaw checks a changed configuration or image before it replaces what runs.",
  CheckFailed: "A changed configuration or image could not be checked, so it replaces nothing; the message says why.",
  RolledBack:
    "A pod with a changed image or configuration did not become ready, and the ones of before serve again; the message says why.",
  ModelNotFound: "`model.default` is not a model of the class.",

  NameTaken: "A child's name is taken by an object of someone else; nothing is overwritten.",
  QuotaExceeded: "A ResourceQuota of the namespace has no room for a child.",
  ChildRefused:
    "The apiserver refused a child for another cause (admission, PodSecurity, a validation); the message has its words.",

  ClaimPending: "The volume claim is not bound yet.",
  ClaimLost: "The volume behind the claim is gone.",
  ClaimTerminating: "The volume claim is being deleted.",
  ClaimResizing: "The volume is growing to the wanted size.",

  StorageFull: "The volume has no room left; OpenClaw needs a restart once it has.",
  StateUnusable:
    "OpenClaw cannot use the state on its volume: it is not writable, another process holds it, or it is newer than OpenClaw.",

  PodStarting: "The pod was created and not yet scheduled, or its containers are starting.",
  Unschedulable: "No node can take the pod.",
  ImagePullFailed: "The image cannot be pulled.",
  ContainerCreateFailed:
    "A container cannot be created (a missing Secret key, a bad mount); the message has the kubelet's words.",
  CrashLoop: "OpenClaw ends again and again; the message has its last words.",
  OutOfMemory: "The container used more memory than its limit.",
  Evicted: "The kubelet evicted the pod.",
  NodeLost: "The node stopped answering; the pod is replaced once it is sure that nothing of it runs any more.",
  PodFailed: "The pod ended for another cause and is being replaced.",
  PodTerminating: "The pod is being deleted and its replacement waits for that.",
  PodNotReady: "The pod runs and is not ready by its own probe.",

  ProbePending: "The gateway has not been called yet.",
  GatewayUnauthorized:
    "The gateway refused this slot's token: the address belongs to another pod, or the token is old.",
  GatewaySilent: "The gateway does not answer.",
  GatewayError: "The gateway answers with an error.",

  Draining: "Running work is being finished before the pod is replaced or stopped.",
  Stopped: "`runPolicy` is `Stopped`: no pod, the volume is kept.",
  Terminating: "The instance is being deleted.",
  ReconcileFailed: "Reading or writing the cluster failed; it is tried again.",
} as const;
export type Reason = keyof typeof REASON_MEANING;

/** The same words as constants: `REASON.AsExpected` is `"AsExpected"`. */
export const REASON = Object.fromEntries(Object.keys(REASON_MEANING).map((word) => [word, word])) as {
  readonly [Word in Reason]: Word;
};

/** Reasons of Events that are no condition's. */
export const EVENT_REASON = {
  /** A child that somebody deleted is there again. */
  ChildRestored: "ChildRestored",
} as const;

/** Reasons for which a pod is replaced without anybody's doing. They are told until the replacement is ready or has a fault of its own. */
export const REPLACED_BY_ITSELF: ReadonlySet<string> = new Set([
  REASON.Evicted,
  REASON.NodeLost,
  REASON.PodFailed,
  REASON.GatewayUnauthorized,
]);
