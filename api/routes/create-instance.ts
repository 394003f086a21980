import * as z from "zod";
import type { ApiContext } from "../context.ts";
import type { TenantRoute } from "../http/route.ts";
import { isSettled } from "../instances/phase.ts";
import { summarize } from "../instances/summary.ts";
import { waitForInstance } from "../instances/wait.ts";

const query = z.object({ wait: z.coerce.number().int().min(0).max(120).default(0) });

/** `POST /api/openclaw/instance?wait=<seconds>`: makes the tenant's instance, or wakes the one there is. The body is ignored. */
export function createInstance({ instances, directory, clock }: ApiContext): TenantRoute {
  return {
    method: "POST",
    path: "/api/openclaw/instance",
    operation: "createInstance",
    access: "tenant",
    async answer({ req, tenant, signal }) {
      const { wait } = query.parse(req.query);
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
  };
}
