import * as z from "zod";
import type { ApiContext } from "../context.ts";
import { decideDevice, deviceIdSchema } from "../gateway/devices.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { withUpstream } from "../proxy/proxy.ts";
import { GATEWAY_ERRORS } from "./schemas.ts";

/** `POST /api/openclaw/runtime/devices/:requestId/reject`: turns a device away; it may ask again. */
export function rejectDevice({ proxy }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/openclaw/runtime/devices/:requestId/reject",
    operation: "rejectDevice",
    tag: "runtime",
    summary: "Turns a device away; it may ask again.",
    access: "tenant",
    scope: "openclaw:write",
    params: z.object({ requestId: deviceIdSchema }),
    result: z.strictObject({ rejected: z.literal(true), requestId: deviceIdSchema }),
    errors: [...GATEWAY_ERRORS, "device_request_not_found"],
    relaysErrors: true,
    async answer(call, { params: { requestId } }) {
      const decision = { requestId, decision: "reject" } as const;
      await withUpstream(proxy, call, (upstream) => decideDevice(proxy, call, upstream, decision));
      return { rejected: true, requestId };
    },
  });
}
