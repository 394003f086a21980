import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { isSettled } from "../instances/phase.ts";
import { instanceSummarySchema, summarize } from "../instances/summary.ts";
import { waitForInstance } from "../instances/wait.ts";
import { WRITE_ERRORS, waitQuery } from "./schemas.ts";

/** `POST /api/openclaw/runtime/start?wait=<seconds>`: what was stopped runs again, what failed gets another try. */
export function startRuntime({ instances, directory, clock }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/openclaw/runtime/start",
    operation: "startRuntime",
    tag: "runtime",
    summary: "Starts the caller's OpenClaw that was stopped, and gives a failed one another try; makes none.",
    access: "tenant",
    scope: "openclaw:write",
    gated: { tool: "openclaw_start", summarize: () => "Start the agent's OpenClaw." },
    query: waitQuery,
    result: instanceSummarySchema,
    errors: [...WRITE_ERRORS, "instance_not_found"],
    async answer({ tenant, signal }, { query: { wait } }) {
      const asked = await instances.start(tenant, signal);
      if (wait === 0) return summarize(asked);
      const until = { timeoutMs: wait * 1000, signal };
      const now = await waitForInstance(
        { directory, clock },
        tenant,
        (instance) => !instance || isSettled(instance),
        until,
      );
      return summarize(now ?? asked);
    },
  });
}
