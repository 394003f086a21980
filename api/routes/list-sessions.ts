import * as z from "zod";
import type { ApiContext } from "../context.ts";
import { invokeSessionTool } from "../gateway/tools.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { withUpstream } from "../proxy/proxy.ts";
import { GATEWAY_ERRORS, opaque } from "./schemas.ts";

const positive = z.coerce.number().int().min(1).max(100_000);
const kind = z.string().regex(/^[a-z][a-z-]{0,31}$/, "is not a kind of session");

const query = z.object({
  limit: positive.optional(),
  activeMinutes: positive.optional(),
  messageLimit: z.coerce.number().int().min(0).max(1000).optional(),
  /** Repeated, or separated by commas. */
  kinds: z
    .union([z.string(), z.array(z.string())])
    .transform((kinds) => [kinds].flat().flatMap((text) => text.split(",")))
    .pipe(z.array(kind).max(16))
    .optional(),
});

/** `GET /api/openclaw/sessions`: the sessions of the tenant's OpenClaw, as its own tool lists them. */
export function listSessions({ proxy }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/openclaw/sessions",
    operation: "listSessions",
    tag: "sessions",
    summary: "The sessions of the caller's OpenClaw.",
    access: "tenant",
    scope: "openclaw:read",
    query,
    result: opaque,
    errors: GATEWAY_ERRORS,
    relaysErrors: true,
    async answer(call, { query: args }) {
      return withUpstream(proxy, call, (upstream) =>
        invokeSessionTool(proxy, call, upstream, { tool: "sessions_list", args }),
      );
    },
  });
}
