import { ANNOTATION, GATEWAY_PORT, type InstanceRuntime } from "#crds/index.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { CONTAINER } from "../build/pod.ts";
import { containerStatus } from "./container-verdict.ts";
import type { Slot } from "./slot.ts";

/** What there is to say of the slot an instance runs in. */
export interface RuntimeFindings {
  readonly runtime: InstanceRuntime;
  /** The pod is another than the one told of before: it took that one's place. */
  readonly replaced: boolean;
  /** The `restartedAt` the pod was started for. */
  readonly restartedAt: string | undefined;
}

/** A version at the start of an image's tag. */
const TAG_VERSION = /:v?(\d+\.\d+\.\d+)[^/:]*$/;

/**
 * Observes the slot. The uid of a pod that is gone stays until the next one is there (that is how we know that one took its
 * place); its address does not, as it may be another's soon.
 */
export function observeRuntime(
  before: InstanceRuntime | undefined,
  { name, slot, pod, stopped }: { name: string; slot: Slot; pod: Pod | undefined; stopped: boolean },
): RuntimeFindings {
  const identity = { name, slot: slot.id, keyId: slot.key.id, port: GATEWAY_PORT };
  if (!pod) {
    const podUID = stopped ? undefined : before?.podUID;
    return { runtime: { ...identity, ...(podUID ? { podUID } : {}) }, replaced: false, restartedAt: undefined };
  }
  const image = pod.spec?.containers.find((container) => container.name === CONTAINER)?.image;
  const version = TAG_VERSION.exec(image ?? "")?.[1];
  const startedAt = containerStatus(pod)?.state?.running?.startedAt;
  const { uid } = pod.metadata;
  return {
    runtime: {
      ...identity,
      ...(uid ? { podUID: uid } : {}),
      ...(hasAddress(pod) ? { podIP: pod.status?.podIP } : {}),
      ...(pod.spec?.nodeName ? { node: pod.spec.nodeName } : {}),
      ...(image ? { image } : {}),
      ...(version ? { version } : {}),
      ...(startedAt ? { startedAt } : {}),
    },
    replaced: before?.podUID !== undefined && uid !== undefined && before.podUID !== uid,
    restartedAt: pod.metadata.annotations?.[ANNOTATION.restartedAt],
  };
}

/** A pod that ended has given its address back. */
function hasAddress(pod: Pod): boolean {
  const phase = pod.status?.phase;
  return pod.status?.podIP !== undefined && phase !== "Failed" && phase !== "Succeeded";
}
