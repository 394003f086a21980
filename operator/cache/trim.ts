import { GROUP } from "#crds/index.ts";
import { defined } from "#lib/defined.ts";
import type { ConfigMap, Pod, Secret } from "#lib/kube/resource.ts";
import { digestEntries } from "../build/digest.ts";

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
        defined({ name: container.name, image: container.image }),
      ),
      ...(pod.spec?.nodeName ? { nodeName: pod.spec.nodeName } : {}),
    },
    status: defined({
      phase,
      reason,
      message,
      podIP,
      conditions: conditions?.filter(({ type }) => type === "Ready" || type === "PodScheduled"),
      containerStatuses: containerStatuses?.map(
        ({ name, image, imageID, ready, started, restartCount, state, lastState }) =>
          defined({ name, image, imageID, ready, started, restartCount, state, lastState }),
      ),
    }),
  };
}

/** A Secret with the digests of its values: enough to see that one was changed, no use to a thief. */
export function trimSecret(secret: Secret): Secret {
  return { ...secret, data: digestEntries(secret.data) };
}

/** A ConfigMap with the digests of its values. */
export function trimConfigMap(configMap: ConfigMap): ConfigMap {
  return { ...configMap, data: digestEntries(configMap.data) };
}

/** Other people's annotations are no concern of ours. */
function ownAnnotations(annotations: Record<string, string> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations ?? {}).filter(([key]) => key.startsWith(`${GROUP}/`)));
}
