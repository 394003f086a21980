import * as z from "zod";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";

/** `POST /api/openclaw/runtime/backup`: refused for now, so that nobody believes that there is a backup. */
export function backUpRuntime(_context: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/openclaw/runtime/backup",
    operation: "backUpRuntime",
    tag: "runtime",
    summary: "Refused: this version makes no backups.",
    access: "tenant",
    scope: "openclaw:write",
    result: z.never(),
    errors: ["not_implemented"],
    async answer() {
      const message = "this version makes no backups; ask the platform team whether it takes snapshots of the volumes";
      throw new ApiError("not_implemented", message, { step: "backup" });
    },
  });
}
