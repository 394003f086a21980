import * as z from "zod";
import type { ApiContext } from "../context.ts";
import { channelSchema, listPairing as list, pairingListSchema } from "../gateway/pairing.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { withUpstream } from "../proxy/proxy.ts";
import { GATEWAY_ERRORS } from "./schemas.ts";

/** `GET /api/openclaw/runtime/pairing/:channel`: who wrote to the agent in a channel and waits to be let in. */
export function listPairing({ proxy }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/openclaw/runtime/pairing/:channel",
    operation: "listPairingRequests",
    tag: "runtime",
    summary: "Who wrote to the agent in a channel and waits to be let in.",
    access: "tenant",
    scope: "openclaw:read",
    params: z.object({ channel: channelSchema }),
    result: pairingListSchema,
    errors: [...GATEWAY_ERRORS, "pairing_channel_not_found"],
    relaysErrors: true,
    async answer(call, { params: { channel } }) {
      return withUpstream(proxy, call, (upstream) => list(proxy, call, upstream, channel));
    },
  });
}
