import { GROUP } from "#crds/index.ts";
import { defined } from "#lib/defined.ts";
import type { ConfigMap, Node, Pod, Secret } from "#lib/kube/resource.ts";
import { digestEntries } from "../build/digest.ts";
import { OUT_OF_SERVICE_TAINT } from "../instance/node-state.ts";

/*
 * What caches keep. At a thousand instances most of an object is memory for nothing, and a credential in memory is one that
 * can leak.
 */

/** A pod, reduced to what is judged. */
export function trimPod(pod: Pod): Pod {
  const { phase, reason, message, podIP, conditions, containerStatuses } = pod.status ?? {};
  const {
    name,
    namespace,
    uid,
    resourceVersion,
    generation,
    creationTimestamp,
    deletionTimestamp,
    labels,
    ownerReferences,
  } = pod.metadata;
  return {
    apiVersion: pod.apiVersion,
    kind: pod.kind,
    metadata: defined({
      name,
      namespace,
      uid,
      resourceVersion,
      generation,
      creationTimestamp,
      deletionTimestamp,
      labels,
      ownerReferences,
      annotations: ownAnnotations(pod.metadata.annotations),
    }),
    spec: {
      containers: (pod.spec?.containers ?? []).map((container) =>
        defined({ name: container.name, image: container.image, resources: memoryLimit(container.resources) }),
      ),
      ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    },
    status: defined({
      phase,
      reason,
      message,
      podIP,
      conditions: conditions?.filter(({ type }) => JUDGED_CONDITIONS.has(type)),
      containerStatuses: containerStatuses?.map(
        ({ name, image, imageID, ready, started, restartCount, state, lastState }) =>
          defined({ name, image, imageID, ready, started, restartCount, state, lastState }),
      ),
    }),
  };
}

const JUDGED_CONDITIONS: ReadonlySet<string> = new Set(["Ready", "PodScheduled", "DisruptionTarget"]);

type Resources = NonNullable<Pod["spec"]>["containers"][number]["resources"];

/** Who runs out of memory is told how much it had. */
function memoryLimit(resources: Resources): Resources {
  const memory = resources?.limits?.memory;
  return memory === undefined ? undefined : { limits: { memory } };
}

/** A Secret with the digests of its values: enough to see that one was changed, no use to a thief. */
export function trimSecret(secret: Secret): Secret {
  return { ...secret, data: digestEntries(secret.data) };
}

/** A ConfigMap with the digests of its values. */
export function trimConfigMap(configMap: ConfigMap): ConfigMap {
  return { ...configMap, data: digestEntries(configMap.data) };
}

/** A node, reduced to what is judged: most of its writes are then changes of nothing. */
export function trimNode({ apiVersion, kind, metadata, spec, status }: Node): Node {
  const { name, uid, resourceVersion } = metadata;
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  const taints = spec?.taints?.filter(({ key }) => key === OUT_OF_SERVICE_TAINT) ?? [];
  return {
    apiVersion,
    kind,
    metadata: { name, ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) },
    ...(taints.length > 0 ? { spec: { taints } } : {}),
    ...(ready ? { status: { conditions: [withoutHeartbeat(ready)] } } : {}),
  };
}

type Condition = NonNullable<NonNullable<Node["status"]>["conditions"]>[number];

function withoutHeartbeat({ type, status, lastTransitionTime }: Condition): Condition {
  return { type, status, ...(lastTransitionTime ? { lastTransitionTime } : {}) };
}

/** Other people's annotations are no concern of ours. */
function ownAnnotations(annotations: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => key.startsWith(`${GROUP}/`)));
}
