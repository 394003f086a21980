import * as z from "zod";
import type { ApiContext } from "../context.ts";
import { decideDevice, deviceIdSchema } from "../gateway/devices.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { withUpstream } from "../proxy/proxy.ts";
import { GATEWAY_ERRORS } from "./schemas.ts";

/** `POST /api/openclaw/runtime/devices/:requestId/approve`: lets a device in, with the roles and scopes it asked for. */
export function approveDevice({ proxy }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/openclaw/runtime/devices/:requestId/approve",
    operation: "approveDevice",
    tag: "runtime",
    summary: "Lets a device in, with the roles and scopes that it asks for.",
    access: "tenant",
    scope: "openclaw:write",
    gated: {
      tool: "openclaw_approve_device",
      summarize: ({ requestId }) => `Let the device of request ${String(requestId)} into the agent's OpenClaw.`,
    },
    params: z.object({ requestId: deviceIdSchema }),
    result: z.strictObject({
      approved: z.literal(true),
      requestId: deviceIdSchema,
      deviceId: deviceIdSchema.optional(),
    }),
    errors: [...GATEWAY_ERRORS, "device_request_not_found"],
    relaysErrors: true,
    async answer(call, { params: { requestId } }) {
      const decision = { requestId, decision: "approve" } as const;
      const decided = await withUpstream(proxy, call, (upstream) => decideDevice(proxy, call, upstream, decision));
      call.log.info({ deviceRequest: requestId, device: decided.deviceId }, "a device was let in");
      return { approved: true, requestId, ...decided };
    },
  });
}
