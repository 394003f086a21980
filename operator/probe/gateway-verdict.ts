import type { REASON } from "#crds/index.ts";

/** What an authenticated call to a gateway showed. */
export type GatewayVerdict =
  | { readonly reachable: true }
  | {
      readonly reachable: false;
      readonly reason: (typeof REASON)["GatewayUnauthorized" | "GatewaySilent" | "GatewayError" | "StorageFull"];
      /** For a person. */
      readonly message: string;
    };
