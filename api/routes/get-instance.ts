import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { instanceSummarySchema, summarize } from "../instances/summary.ts";
import { READ_ERRORS } from "./schemas.ts";

/** `GET /api/openclaw/instance`: the tenant's instance; null = there is none for sure. */
export function getInstance({ instances }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/openclaw/instance",
    operation: "getInstance",
    tag: "instance",
    summary: "The caller's OpenClaw; null = there is none for sure.",
    access: "tenant",
    scope: "openclaw:read",
    result: instanceSummarySchema.nullable(),
    errors: READ_ERRORS,
    async answer({ tenant }) {
      const instance = await instances.get(tenant);
      return instance ? summarize(instance) : null;
    },
  });
}
