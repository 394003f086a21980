import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { getThread, threadParams, threadSchema } from "../threads/threads.ts";

/** `GET /api/threads/:id`: one of the caller's threads. */
export function getThreadRoute({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/threads/:id",
    operation: "getThread",
    tag: "threads",
    summary: "One of the caller's threads.",
    access: "tenant",
    scope: "openclaw:read",
    params: threadParams,
    result: threadSchema,
    errors: ["thread_not_found"],
    answer: ({ tenant }, { params }) => getThread(store.db, tenantKey(tenant), params.id),
  });
}
