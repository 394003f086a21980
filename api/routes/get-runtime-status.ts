import { CONDITION, type OpenClawInstance, PHASE } from "#crds/index.ts";
import { findCondition } from "#lib/kube/conditions.ts";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import type { TenantRoute } from "../http/route.ts";
import { phaseOf } from "../instances/phase.ts";

/** `GET /api/openclaw/runtime/status`: what runs, read from the instance's status alone; nothing is started by asking. */
export function getRuntimeStatus({ instances }: ApiContext): TenantRoute {
  return {
    method: "GET",
    path: "/api/openclaw/runtime/status",
    operation: "getRuntimeStatus",
    access: "tenant",
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
  };
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
