import { ANNOTATION, type OpenClawClass, REASON } from "#crds/index.ts";
import type { Pod } from "#lib/kube/resource.ts";
import { CONFIG_FILE } from "../build/config-map.ts";
import { CONTAINER, runtimeImage } from "../build/pod.ts";
import { drainOf } from "./drain.ts";
import { standingOf } from "./ownership.ts";
import { judgePod } from "./pod-verdict.ts";
import { wasReady } from "./turn.ts";
import type { View } from "./view.ts";

/** An image and a configuration: they are checked, tried and gone back to together. */
export interface Release {
  readonly image: string;
  readonly configDigest: string;
}

/** True when both are the same. */
export function isSameRelease(a: Release | undefined, b: Release | undefined): boolean {
  return a?.image === b?.image && a?.configDigest === b?.configDigest;
}

/**
 * The release that pods are made from, as the ConfigMap says. Undefined when there is none, or when what is there is not what
 * we wrote, for then nobody vouches for it.
 */
export function releaseInForce(view: View, plan: OpenClawClass): Release | undefined {
  const { configMap, instance } = view;
  if (standingOf(configMap, instance) !== "ours") return undefined;
  const { [ANNOTATION.configDigest]: written, [ANNOTATION.image]: image } = configMap?.metadata.annotations ?? {};
  const configDigest = configMap?.data?.[CONFIG_FILE];
  if (configDigest === undefined || configDigest !== written) return undefined;
  return { image: image ?? imageOf(ownPod(view)) ?? runtimeImage(instance, plan.spec), configDigest };
}

/** The release that a pod was made from; undefined for one that does not say. */
export function releaseOfPod(pod: Pod): Release | undefined {
  const configDigest = pod.metadata.annotations?.[ANNOTATION.configDigest];
  const image = imageOf(pod);
  return image === undefined || configDigest === undefined ? undefined : { image, configDigest };
}

/**
 * True while the instance has a pod whose release a worse one would break: it serves, or it did and lapses, or it is being
 * drained. Not when its container ends again and again: what corrects that is not to wait. `now` in epoch milliseconds.
 */
export function isWorking(view: View, now: number): boolean {
  const { instance, node } = view;
  const pod = ownPod(view);
  if (!pod || pod.metadata.deletionTimestamp) return false;
  if (drainOf(instance, pod)) return true;
  const { stage, reason, failed } = judgePod(pod, now, node);
  return stage === "Ready" || reason === REASON.PodNotReady || (!failed && wasReady(instance, pod));
}

/** The pod, if it is the instance's own. */
export function ownPod({ pod, instance }: View): Pod | undefined {
  return standingOf(pod, instance) === "ours" ? pod : undefined;
}

function imageOf(pod: Pod | undefined): string | undefined {
  return pod?.spec?.containers.find(({ name }) => name === CONTAINER)?.image;
}
