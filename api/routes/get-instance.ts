import type { ApiContext } from "../context.ts";
import type { TenantRoute } from "../http/route.ts";
import { summarize } from "../instances/summary.ts";

/** `GET /api/openclaw/instance`: the tenant's instance; null = there is none for sure. */
export function getInstance({ instances }: ApiContext): TenantRoute {
  return {
    method: "GET",
    path: "/api/openclaw/instance",
    operation: "getInstance",
    access: "tenant",
    async answer({ tenant }) {
      const instance = await instances.get(tenant);
      return instance ? summarize(instance) : null;
    },
  };
}
