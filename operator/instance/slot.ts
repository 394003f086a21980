import { ANNOTATION, LABEL } from "#crds/index.ts";
import { findKey, isSlot, type KeyRing, type RootKey } from "#lib/keys.ts";
import { claimStanding, standingOf } from "./ownership.ts";
import type { View } from "./view.ts";

/** The credentials an instance runs with. */
export interface Slot {
  readonly id: string;
  /** Root key that derives them. */
  readonly key: RootKey;
}

/**
 * The slot of an instance. It is chosen once, when neither Secret nor status nor volume names one: a Secret deleted by hand
 * comes back with the same token, and a volume that was kept keeps its slot. The root key stays the one the credentials were
 * derived with for as long as it is in the ring.
 */
export function slotOf(view: View, keyRing: KeyRing, newSlot: string): Slot {
  const { instance, secret, claim } = view;
  const ofSecret = standingOf(secret, instance) === "ours" ? secret : undefined;
  const ofClaim = claimStanding(claim, instance) === "ours" ? claim : undefined;
  const id = [
    ofSecret?.metadata.labels?.[LABEL.slot],
    instance.status?.runtime?.slot,
    ofClaim?.metadata.labels?.[LABEL.slot],
  ].find((candidate) => candidate !== undefined && isSlot(candidate));
  const keyId = ofSecret?.metadata.annotations?.[ANNOTATION.keyId] ?? instance.status?.runtime?.keyId;
  return { id: id ?? newSlot, key: (keyId === undefined ? undefined : findKey(keyRing, keyId)) ?? keyRing[0] };
}
