/** The API group of our kinds and the prefix of our labels and annotations. */
export const GROUP = "hatchery.openagents.com";
/** The one served and stored version. */
export const VERSION = "v1alpha1";

/** Labels on the children of an instance. */
export const LABEL = {
  /** 128-bit id of the credentials and the volume a pod runs with. */
  slot: `${GROUP}/slot`,
  /** Name of the OpenClawInstance. */
  instance: `${GROUP}/instance`,
  /** Name of the OpenClawClass, on the pod (network policies select by it). */
  class: `${GROUP}/class`,
  /** Short hash of the tenant key, on what outlives the instance. */
  tenant: `${GROUP}/tenant`,
} as const;

/** Annotations the operator writes on children. */
export const ANNOTATION = {
  /** SHA-256 of the applied body; equal = nothing to apply. */
  appliedHash: `${GROUP}/applied-hash`,
  /** SHA-256 of what the pod is built from; differs = a new pod is due. */
  podHash: `${GROUP}/pod-hash`,
  /** On the pod: SHA-256 of what of it is the instance's own; equal while pod-hash differs = the class changed. */
  ownHash: `${GROUP}/own-hash`,
  /** On a pod that a rollout of its class made: until it is ready it counts as unavailable. */
  rollout: `${GROUP}/rollout`,
  /** Version of the operator that applied it. */
  operatorVersion: `${GROUP}/operator-version`,
  /** On the ConfigMap: digest of the configuration it was written with; differs from its content = edited by hand. */
  configDigest: `${GROUP}/config-digest`,
  /** On the ConfigMap: the image its configuration was written for; pods are made from these two. */
  image: `${GROUP}/image`,
  /** On the ConfigMap, while another release is on trial: the image to go back to, and the digest of its configuration. */
  previousImage: `${GROUP}/previous-image`,
  previousConfigDigest: `${GROUP}/previous-config-digest`,
  /** On the ConfigMap: id of the release that was tried and gone back from, and why. */
  rolledBackFrom: `${GROUP}/rolled-back-from`,
  rolledBackBecause: `${GROUP}/rolled-back-because`,
  /** On the Secret: id of the root key that derived its credentials. */
  keyId: `${GROUP}/key-id`,
  /** On the pod: the `spec.restartedAt` it was started for. */
  restartedAt: `${GROUP}/restarted-at`,
} as const;

/** Annotation of a pod that checks a configuration: its whole text. Not of our prefix, so that no cache keeps it. */
export const CHECKED_CONFIG_ANNOTATION = `check.${GROUP}/openclaw.json`;

/** Field manager of the operator's applies. */
export const OPERATOR_FIELD_MANAGER = "hatchery-operator";
/** Field manager of what the API creates and merge-patches. */
export const API_FIELD_MANAGER = "hatchery-api";
/** Port of the OpenClaw gateway. */
export const GATEWAY_PORT = 18789;
/** Name of the class an instance gets when it names none. */
export const DEFAULT_CLASS = "standard";
