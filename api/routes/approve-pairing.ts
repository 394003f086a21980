import * as z from "zod";
import type { ApiContext } from "../context.ts";
import {
  approvePairing as approve,
  channelSchema,
  pairingApprovalSchema,
  pairingCodeSchema,
} from "../gateway/pairing.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { withUpstream } from "../proxy/proxy.ts";
import { GATEWAY_ERRORS } from "./schemas.ts";

const body = z.strictObject({
  code: pairingCodeSchema,
  notify: z.boolean().default(false).describe("Tell the sender, in the same channel."),
});

/** `POST /api/openclaw/runtime/pairing/:channel/approve`: lets the sender who was told this code write to the agent. */
export function approvePairing({ proxy }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/openclaw/runtime/pairing/:channel/approve",
    operation: "approvePairingRequest",
    tag: "runtime",
    summary: "Lets the sender who was told this code write to the agent.",
    access: "tenant",
    scope: "openclaw:write",
    gated: {
      tool: "openclaw_approve_pairing",
      summarize: ({ channel, code }) =>
        `Let the sender with the code ${String(code)} write to the agent's OpenClaw in ${String(channel)}.`,
    },
    params: z.object({ channel: channelSchema }),
    body,
    result: pairingApprovalSchema,
    errors: [...GATEWAY_ERRORS, "pairing_channel_not_found", "pairing_code_not_found"],
    relaysErrors: true,
    async answer(call, { params: { channel }, body: { code, notify } }) {
      const sender = { channel, code, notify };
      const approval = await withUpstream(proxy, call, (upstream) => approve(proxy, call, upstream, sender));
      call.log.info({ channel, notification: approval.notification }, "a sender was let in");
      return approval;
    },
  });
}
