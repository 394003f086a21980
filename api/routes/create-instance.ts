import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { isSettled } from "../instances/phase.ts";
import { instanceSummarySchema, summarize } from "../instances/summary.ts";
import { waitForInstance } from "../instances/wait.ts";
import { WRITE_ERRORS, waitQuery } from "./schemas.ts";

/** `POST /api/openclaw/instance?wait=<seconds>`: makes the tenant's instance, or wakes the one there is. */
export function createInstance({ instances, directory, clock }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/openclaw/instance",
    operation: "createInstance",
    tag: "instance",
    summary: "Makes the caller's OpenClaw; starts a stopped one, and gives a failed one another try.",
    access: "tenant",
    scope: "openclaw:write",
    gated: { tool: "openclaw_provision", summarize: () => "Create or start the agent's OpenClaw." },
    query: waitQuery,
    result: instanceSummarySchema,
    errors: WRITE_ERRORS,
    async answer({ tenant, signal }, { query: { wait } }) {
      const made = await instances.ensure(tenant, signal);
      if (wait === 0) return summarize(made);
      const until = { timeoutMs: wait * 1000, signal };
      const now = await waitForInstance(
        { directory, clock },
        tenant,
        (instance) => !instance || isSettled(instance),
        until,
      );
      return summarize(now ?? made);
    },
  });
}
