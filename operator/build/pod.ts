import {
  ANNOTATION,
  type ClassSpec,
  GATEWAY_PORT,
  LABEL,
  type OpenClawClass,
  type OpenClawInstance,
} from "#crds/index.ts";
import { appliedHash } from "#lib/kube/apply.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { CONFIG_FILE } from "./config-map.ts";
import { childMetadata, runtimeName } from "./identity.ts";
import { CREDENTIAL_ENV } from "./openclaw-config.ts";
import { podResources } from "./pod-resources.ts";
import { SECRET_KEY } from "./secret.ts";

type PodSpec = NonNullable<Pod["spec"]>;
type Container = PodSpec["containers"][number];
type Probe = NonNullable<Container["readinessProbe"]>;

/** Name of the one container. */
export const CONTAINER = "openclaw";

/** Where the gateway finds things; the image is built for these paths. */
export const PATH = { config: "/config", data: "/data", state: "/data/state", home: "/data/home" } as const;

/** OpenClaw may take 325 s to finish running turns, and nothing shortens that. */
const GRACE_SECONDS = 340;

/** The uid and gid the image runs as. */
const UID = 1000;

/** What every pod of ours is bound to, whatever it runs. */
export const POD_HARDENING = {
  automountServiceAccountToken: false,
  // The addresses of neighbours are no tenant's business, and thousands of variables slow each exec down.
  enableServiceLinks: false,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: UID,
    runAsGroup: UID,
    fsGroup: UID,
    // Without it the kubelet walks the whole volume at each start.
    fsGroupChangePolicy: "OnRootMismatch",
    seccompProfile: { type: "RuntimeDefault" },
  },
} as const;

/** ... and every container. */
export const CONTAINER_HARDENING: NonNullable<Container["securityContext"]> = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ["ALL"] },
};

/** Room for locks, logs and what agents put aside; counts against the ephemeral storage. */
export const TMP_SIZE = "1Gi";

/** What a pod is built from besides instance and class. */
export interface PodInputs {
  readonly slot: string;
  /** Id of the root key behind the slot's credentials as they are. */
  readonly keyId: string;
  /** Id of the one that derives new credentials: containers read them only when they start. */
  readonly newestKeyId: string;
  readonly image: string;
  /** Digest of the rendered configuration: OpenClaw reads it only when it starts. */
  readonly configDigest: string;
  readonly operatorVersion: string;
  /** The pod carries a change of its class to the instance. */
  readonly rollout?: boolean;
}

/** The image an instance is to run. */
export function runtimeImage(instance: OpenClawInstance, plan: ClassSpec): string {
  return instance.spec.image ?? plan.image;
}

/**
 * The pod. A pod is never patched: `pod-hash` says what it was built from, and another hash means another pod. The hash
 * leaves out what must not restart a pod by itself: the operator's version and `restartedAt`.
 */
export function buildPod(instance: OpenClawInstance, plan: OpenClawClass, inputs: PodInputs): Pod {
  const metadata = childMetadata(instance, { [LABEL.slot]: inputs.slot, [LABEL.class]: plan.metadata.name });
  const spec = podSpec(instance, plan.spec, inputs.image);
  const { labels } = metadata;
  const podHash = appliedHash({ labels, spec, config: inputs.configDigest, keyId: inputs.newestKeyId });
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...metadata,
      annotations: {
        [ANNOTATION.podHash]: podHash,
        [ANNOTATION.ownHash]: ownHash(instance, inputs),
        [ANNOTATION.configDigest]: inputs.configDigest,
        [ANNOTATION.operatorVersion]: inputs.operatorVersion,
        ...(inputs.rollout ? { [ANNOTATION.rollout]: "true" } : {}),
        ...(instance.spec.restartedAt === undefined ? {} : { [ANNOTATION.restartedAt]: instance.spec.restartedAt }),
      },
    },
    spec,
  };
}

/**
 * Hash of what the instance itself, and nobody else, says of its pod: the rest is its class's and the operator's. So is a newer
 * root key, but not that the one behind its credentials is no more: then nobody can talk to it.
 */
function ownHash({ spec }: OpenClawInstance, { slot, keyId }: PodInputs): string {
  const { className, image, model, gateway } = spec;
  return appliedHash({ className, image, model, gateway, slot, keyId });
}

function podSpec(instance: OpenClawInstance, plan: ClassSpec, image: string): PodSpec {
  const name = runtimeName(instance);
  return {
    restartPolicy: "Always",
    terminationGracePeriodSeconds: GRACE_SECONDS,
    ...POD_HARDENING,
    containers: [container(instance, plan, image)],
    volumes: [
      { name: "config", configMap: { name, items: [{ key: CONFIG_FILE, path: CONFIG_FILE }] } },
      { name: "data", persistentVolumeClaim: { claimName: name } },
      { name: "tmp", emptyDir: { sizeLimit: TMP_SIZE } },
    ],
    ...placement(plan),
  };
}

/** Where pods of the class run and with which secrets their image is pulled. */
export function placement(plan: ClassSpec): Partial<PodSpec> {
  const { nodeSelector, tolerations, affinity, runtimeClassName, priorityClassName } = plan.scheduling ?? {};
  return {
    ...(plan.imagePullSecrets ? { imagePullSecrets: plan.imagePullSecrets } : {}),
    ...(nodeSelector ? { nodeSelector } : {}),
    ...(tolerations ? { tolerations: tolerations as NonNullable<PodSpec["tolerations"]> } : {}),
    ...(affinity ? { affinity } : {}),
    ...(runtimeClassName ? { runtimeClassName } : {}),
    ...(priorityClassName ? { priorityClassName } : {}),
  };
}

function container(instance: OpenClawInstance, plan: ClassSpec, image: string): Container {
  const secret = runtimeName(instance);
  return {
    name: CONTAINER,
    image,
    imagePullPolicy: "IfNotPresent",
    ports: [{ name: "gateway", containerPort: GATEWAY_PORT, protocol: "TCP" }],
    env: [
      { name: "OPENCLAW_CONFIG_PATH", value: `${PATH.config}/${CONFIG_FILE}` },
      { name: "OPENCLAW_STATE_DIR", value: PATH.state },
      { name: "HOME", value: PATH.home },
      fromSecret(CREDENTIAL_ENV.gatewayToken, secret, SECRET_KEY.gatewayToken),
      fromSecret(CREDENTIAL_ENV.modelKey, secret, SECRET_KEY.modelKey),
    ],
    resources: podResources(plan),
    securityContext: CONTAINER_HARDENING,
    // Migrations run before the gateway answers; five minutes is upstream's own budget.
    startupProbe: probe("/startupz", { periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 150 }),
    readinessProbe: probe("/readyz", { periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 }),
    livenessProbe: probe("/healthz", { periodSeconds: 20, timeoutSeconds: 5, failureThreshold: 6 }),
    // What OpenClaw said last is the reason a person is shown.
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      // A directory, read-only: a file mounted by subPath could not be replaced, and a writable one OpenClaw reverts.
      { name: "config", mountPath: PATH.config, readOnly: true },
      { name: "data", mountPath: PATH.data },
      { name: "tmp", mountPath: "/tmp" },
    ],
  };
}

function fromSecret(name: string, secret: string, key: string): NonNullable<Container["env"]>[number] {
  return { name, valueFrom: { secretKeyRef: { name: secret, key } } };
}

function probe(path: string, timing: Probe): Probe {
  return { httpGet: { path, port: GATEWAY_PORT }, ...timing };
}
