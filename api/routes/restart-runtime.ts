import * as z from "zod";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { WRITE_ERRORS } from "./schemas.ts";

/** `POST /api/openclaw/runtime/restart`: asks for a new pod on the same volume; running turns may finish first. */
export function restartRuntime({ instances }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/openclaw/runtime/restart",
    operation: "restartRuntime",
    tag: "runtime",
    summary: "Restarts the caller's OpenClaw on the same volume, once running turns are over.",
    access: "tenant",
    scope: "openclaw:write",
    gated: { tool: "openclaw_restart", summarize: () => "Restart the agent's OpenClaw." },
    result: z.strictObject({ message: z.literal("restarting") }),
    errors: [...WRITE_ERRORS, "instance_not_found", "instance_suspended"],
    async answer({ tenant, signal }) {
      await instances.restart(tenant, signal);
      return { message: "restarting" };
    },
  });
}
