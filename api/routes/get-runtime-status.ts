import * as z from "zod";
import { CONDITION, type OpenClawInstance, PHASE } from "#crds/index.ts";
import { findCondition } from "#lib/kube/conditions.ts";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { phaseOf } from "../instances/phase.ts";
import { READ_ERRORS } from "./schemas.ts";

const result = z.strictObject({
  gateway: z.strictObject({ status: z.enum(["running", "starting", "stopped", "error"]) }),
  lastBackup: z.string().nullable(),
  container: z.strictObject({ instanceType: z.string() }),
  version: z.strictObject({ openclaw: z.string().nullable() }),
});

/** `GET /api/openclaw/runtime/status`: what runs, read from the instance's status alone; nothing is started by asking. */
export function getRuntimeStatus({ instances }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/openclaw/runtime/status",
    operation: "getRuntimeStatus",
    tag: "runtime",
    summary: "What runs, by the instance's status; nothing is started by asking.",
    access: "tenant",
    scope: "openclaw:read",
    result,
    errors: ["instance_not_found", ...READ_ERRORS],
    async answer({ tenant }) {
      const instance = await instances.get(tenant);
      if (!instance) throw new ApiError("instance_not_found", "instance not found", { step: "get_instance" });
      return {
        gateway: { status: gatewayStatus(instance) },
        lastBackup: null,
        container: { instanceType: instance.spec.className },
        version: { openclaw: instance.status?.runtime?.version ?? null },
      };
    },
  });
}

function gatewayStatus(instance: OpenClawInstance): "running" | "starting" | "stopped" | "error" {
  switch (phaseOf(instance)) {
    case PHASE.Ready:
      return findCondition(instance.status?.conditions, CONDITION.GatewayReachable)?.status === "False"
        ? "error"
        : "running";
    case PHASE.Stopped:
    case PHASE.Terminating:
      return "stopped";
    case PHASE.Failed:
      return "error";
    default:
      return "starting";
  }
}
