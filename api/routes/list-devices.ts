import type { ApiContext } from "../context.ts";
import { deviceListSchema, listDevices as list } from "../gateway/devices.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { withUpstream } from "../proxy/proxy.ts";
import { GATEWAY_ERRORS } from "./schemas.ts";

/** `GET /api/openclaw/runtime/devices`: the devices that ask to be let in and those that are. */
export function listDevices({ proxy }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/openclaw/runtime/devices",
    operation: "listDevices",
    tag: "runtime",
    summary: "The devices that ask to be let into the caller's OpenClaw, and those that are; never a token or a key.",
    access: "tenant",
    scope: "openclaw:read",
    result: deviceListSchema,
    errors: GATEWAY_ERRORS,
    relaysErrors: true,
    async answer(call) {
      return withUpstream(proxy, call, (upstream) => list(proxy, call, upstream));
    },
  });
}
