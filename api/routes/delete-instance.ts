import * as z from "zod";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { waitForInstance } from "../instances/wait.ts";
import { deleteSecrets } from "../secrets/secrets.ts";
import { WRITE_ERRORS } from "./schemas.ts";

/** How long the answer waits for the deletion to show in our own cache, so that the caller's next read knows of it. */
const SHOWN_WITHIN_MS = 2_000;

/** `DELETE /api/openclaw/instance`: asks for deletion; the teardown goes on by itself. */
export function deleteInstance({ instances, directory, store, clock }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "DELETE",
    path: "/api/openclaw/instance",
    operation: "deleteInstance",
    tag: "instance",
    summary: "Asks for the deletion of the caller's OpenClaw.",
    access: "tenant",
    scope: "openclaw:write",
    gated: { tool: "openclaw_delete", summarize: () => "Delete the agent's OpenClaw." },
    result: z.strictObject({ deleted: z.boolean().describe("false = there was none") }),
    errors: WRITE_ERRORS,
    async answer({ tenant, signal }) {
      const deleted = await instances.delete(tenant, signal);
      // What was kept for this one is not the next one's.
      await deleteSecrets(store.db, tenant);
      if (deleted) {
        const shown = { timeoutMs: SHOWN_WITHIN_MS, signal };
        await waitForInstance(
          { directory, clock },
          tenant,
          (left) => !left || !!left.metadata.deletionTimestamp,
          shown,
        );
      }
      return { deleted };
    },
  });
}
