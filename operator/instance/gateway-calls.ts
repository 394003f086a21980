import { gatewayToken } from "#lib/keys.ts";
import type { GatewayDrainer } from "../probe/gateway-drainer.ts";
import type { GatewayProber, GatewayTarget } from "../probe/gateway-prober.ts";
import type { ProbeTarget } from "./gateway.ts";
import type { Plan } from "./plan.ts";

/** Has the calls made that plans ask for, beside the reconcile. */
export interface GatewayCalls {
  /** What an instance's plan asks for, in place of what an earlier one did. */
  want(key: string, plan: Pick<Plan, "probe" | "errand">): void;
  /** No calls any more. */
  forget(key: string): void;
}

/** Calls by these. */
export function callGateways(prober: GatewayProber, drainer: GatewayDrainer): GatewayCalls {
  return {
    want(key, { probe, errand }) {
      if (probe) prober.want(key, targetOf(probe), probe.known);
      else prober.forget(key);
      if (errand?.kind === "drain") drainer.drain(key, targetOf(errand.target));
      else if (errand) drainer.resume(key, targetOf(errand.target));
      else drainer.forget(key);
    },
    forget(key) {
      prober.forget(key);
      drainer.forget(key);
    },
  };
}

/** With its token, which is derived only when it is called. */
function targetOf({ id, url, slot }: ProbeTarget): GatewayTarget {
  return { id, url, token: () => gatewayToken(slot.key, slot.id) };
}
