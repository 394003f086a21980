import type { KeyRing } from "#lib/keys.ts";
import type { NetworkSettings } from "../build/network-policy.ts";

/** What all plans have in common. */
export interface Settings extends NetworkSettings {
  readonly keyRing: KeyRing;
  /** Base URL of the model gateway as pods reach it. */
  readonly modelGatewayUrl: string;
  readonly operatorVersion: string;
}
