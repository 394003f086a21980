import * as z from "zod";
import type { ApiContext } from "../context.ts";
import { deviceIdSchema, removeDevice as remove } from "../gateway/devices.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { withUpstream } from "../proxy/proxy.ts";
import { GATEWAY_ERRORS } from "./schemas.ts";

/** `DELETE /api/openclaw/runtime/devices/:deviceId`: a device that was let in is no more; its connections end. */
export function removeDevice({ proxy }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "DELETE",
    path: "/api/openclaw/runtime/devices/:deviceId",
    operation: "removeDevice",
    tag: "runtime",
    summary: "Removes a device that was let in; its connections end.",
    access: "tenant",
    scope: "openclaw:write",
    params: z.object({ deviceId: deviceIdSchema }),
    result: z.strictObject({ removed: z.literal(true), deviceId: deviceIdSchema }),
    errors: [...GATEWAY_ERRORS, "device_not_found"],
    relaysErrors: true,
    async answer(call, { params: { deviceId } }) {
      await withUpstream(proxy, call, (upstream) => remove(proxy, call, upstream, deviceId));
      return { removed: true, deviceId };
    },
  });
}
