import {
  ANNOTATION,
  CHECKED_CONFIG_ANNOTATION,
  type ClassSpec,
  LABEL,
  type OpenClawClass,
  type OpenClawInstance,
  parseQuantity,
} from "#crds/index.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { CONFIG_FILE } from "./config-map.ts";
import { digest } from "./digest.ts";
import { childMetadata, runtimeName } from "./identity.ts";
import { CREDENTIAL_ENV } from "./openclaw-config.ts";
import { CONTAINER, CONTAINER_HARDENING, PATH, POD_HARDENING, placement, TMP_SIZE } from "./pod.ts";
import { EPHEMERAL_STORAGE } from "./pod-resources.ts";

type Container = NonNullable<Pod["spec"]>["containers"][number];

/** A check takes seconds; the rest is for a node that has to pull the image first. */
const DEADLINE_SECONDS = 600;

/** What a check asks of its node at most: it is to find room beside the pod whose successor it checks for. */
const REQUESTS = { cpu: "100m", memory: "256Mi" } as const;

/** Name of the pod that checks an instance's changed configuration. No instance's own children begin like this. */
export function checkName(instance: OpenClawInstance): string {
  return `check-${runtimeName(instance)}`;
}

/**
 * The pod in which the image's own OpenClaw says whether it takes a configuration. It is bound as a tenant's pod is, and the
 * class's network policy selects it; it has neither slot nor volume nor credentials. The configuration comes with the pod
 * itself, so that there is one object to make and to remove, and no second one to fall out of step with it.
 */
export function buildCheckPod(instance: OpenClawInstance, plan: OpenClawClass, image: string, config: string): Pod {
  const labels = { [LABEL.class]: plan.metadata.name, "app.kubernetes.io/component": "config-check" };
  const fieldPath = `metadata.annotations['${CHECKED_CONFIG_ANNOTATION}']`;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...childMetadata(instance, labels),
      name: checkName(instance),
      annotations: { [ANNOTATION.configDigest]: digest(config), [CHECKED_CONFIG_ANNOTATION]: config },
    },
    spec: {
      restartPolicy: "Never",
      activeDeadlineSeconds: DEADLINE_SECONDS,
      terminationGracePeriodSeconds: 5,
      ...POD_HARDENING,
      containers: [container(plan.spec, image)],
      volumes: [
        { name: "config", downwardAPI: { items: [{ path: CONFIG_FILE, fieldRef: { fieldPath } }] } },
        { name: "tmp", emptyDir: { sizeLimit: TMP_SIZE } },
      ],
      ...placement(plan.spec),
    },
  };
}

function container(plan: ClassSpec, image: string): Container {
  return {
    name: CONTAINER,
    image,
    imagePullPolicy: "IfNotPresent",
    command: ["openclaw", "config", "validate"],
    env: [
      { name: "OPENCLAW_CONFIG_PATH", value: `${PATH.config}/${CONFIG_FILE}` },
      { name: "OPENCLAW_STATE_DIR", value: "/tmp/state" },
      { name: "HOME", value: "/tmp/home" },
      // The configuration refers to them; whether they are right is not what is asked.
      ...Object.values(CREDENTIAL_ENV).map((name) => ({ name, value: "unused" })),
    ],
    resources: resources(plan),
    securityContext: CONTAINER_HARDENING,
    terminationMessagePolicy: "FallbackToLogsOnError",
    volumeMounts: [
      { name: "config", mountPath: PATH.config, readOnly: true },
      { name: "tmp", mountPath: "/tmp" },
    ],
  };
}

/** No more than the class's pods have, and nothing (a GPU, say) that a check has no use for. */
function resources({ resources: { requests, limits } }: ClassSpec): NonNullable<Container["resources"]> {
  const least = (name: keyof typeof REQUESTS) => {
    const ofClass = String(requests[name]);
    return parseQuantity(ofClass) < parseQuantity(REQUESTS[name]) ? ofClass : REQUESTS[name];
  };
  return {
    requests: { cpu: least("cpu"), memory: least("memory"), "ephemeral-storage": EPHEMERAL_STORAGE.request },
    limits: { cpu: String(limits.cpu), memory: String(limits.memory), "ephemeral-storage": EPHEMERAL_STORAGE.limit },
  };
}
