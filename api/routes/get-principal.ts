import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";

/** `GET /api/openclaw/principal`: as whom the caller is known. */
export function getPrincipal(_context: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/openclaw/principal",
    operation: "getPrincipal",
    tag: "account",
    summary: "As whom the caller is known.",
    access: "tenant",
    scope: "openclaw:read",
    result: z.strictObject({ tenant_id: z.string(), principal_type: z.enum(["human", "agent"]) }),
    errors: [],
    answer: async ({ tenant }) => ({
      tenant_id: tenantKey(tenant),
      principal_type: tenant.kind === "Agent" ? "agent" : "human",
    }),
  });
}
