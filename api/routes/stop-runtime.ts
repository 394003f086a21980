import { PHASE } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { phaseOf } from "../instances/phase.ts";
import { instanceSummarySchema, summarize } from "../instances/summary.ts";
import { waitForInstance } from "../instances/wait.ts";
import { WRITE_ERRORS, waitQuery } from "./schemas.ts";

/** `POST /api/openclaw/runtime/stop?wait=<seconds>`: no pod until somebody starts it; the volume stays. */
export function stopRuntime({ instances, directory, clock }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/openclaw/runtime/stop",
    operation: "stopRuntime",
    tag: "runtime",
    summary: "Stops the caller's OpenClaw until somebody starts it; what it knows is kept.",
    access: "tenant",
    scope: "openclaw:write",
    gated: { tool: "openclaw_stop", summarize: () => "Stop the agent's OpenClaw until somebody starts it." },
    query: waitQuery,
    result: instanceSummarySchema,
    errors: [...WRITE_ERRORS, "instance_not_found"],
    async answer({ tenant, signal }, { query: { wait } }) {
      const asked = await instances.stop(tenant, signal);
      if (wait === 0) return summarize(asked);
      const until = { timeoutMs: wait * 1000, signal };
      const now = await waitForInstance(
        { directory, clock },
        tenant,
        (instance) => !instance || phaseOf(instance) === PHASE.Stopped || phaseOf(instance) === PHASE.Terminating,
        until,
      );
      return summarize(now ?? asked);
    },
  });
}
