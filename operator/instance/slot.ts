import { ANNOTATION, LABEL } from "#crds/index.ts";
import { findKey, isSlot, type KeyRing, type RootKey } from "#lib/keys.ts";
import { claimStanding, standingOf } from "./ownership.ts";
import { judgePod } from "./pod-verdict.ts";
import type { View } from "./view.ts";

/** The credentials an instance runs with. */
export interface Slot {
  readonly id: string;
  /** Root key that derives them. */
  readonly key: RootKey;
}

/**
 * The slot of an instance. It is chosen once, when neither Secret nor status nor volume names one: a Secret deleted by hand
 * comes back with the same token, and a volume that was kept keeps its slot. While a pod runs, the root key stays the one its
 * credentials were derived with, for as long as that is in the ring; the next pod begins with the newest. `now` in epoch
 * milliseconds.
 */
export function slotOf(view: View, keyRing: KeyRing, newSlot: string, now: number): Slot {
  const { instance, secret, claim } = view;
  const ofSecret = standingOf(secret, instance) === "ours" ? secret : undefined;
  const ofClaim = claimStanding(claim, instance) === "ours" ? claim : undefined;
  const id = [
    ofSecret?.metadata.labels?.[LABEL.slot],
    instance.status?.runtime?.slot,
    ofClaim?.metadata.labels?.[LABEL.slot],
  ].find((candidate) => candidate !== undefined && isSlot(candidate));
  const keyId = ofSecret?.metadata.annotations?.[ANNOTATION.keyId] ?? instance.status?.runtime?.keyId;
  const held = keyId !== undefined && holdsCredentials(view, now) ? findKey(keyRing, keyId) : undefined;
  return { id: id ?? newSlot, key: held ?? keyRing[0] };
}

/** True for a pod that may have read them: it has a node, and may still run. */
function holdsCredentials({ instance, pod, node }: View, now: number): boolean {
  if (!pod?.spec?.nodeName || standingOf(pod, instance) !== "ours") return false;
  return judgePod(pod, now, node).stage !== "Ended";
}
