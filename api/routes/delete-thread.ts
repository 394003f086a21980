import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { deleteThread, threadParams } from "../threads/threads.ts";

const result = z.strictObject({ deleted: z.literal(true) });

/** `DELETE /api/threads/:id`: deletes a thread with all its messages. */
export function deleteThreadRoute({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "DELETE",
    path: "/api/threads/:id",
    operation: "deleteThread",
    tag: "threads",
    summary: "Deletes a thread with all its messages.",
    access: "tenant",
    scope: "openclaw:write",
    params: threadParams,
    result,
    errors: ["thread_not_found"],
    async answer({ tenant }, { params }) {
      await deleteThread(store.db, tenantKey(tenant), params.id);
      return { deleted: true };
    },
  });
}
