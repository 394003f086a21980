import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import { defined } from "#lib/defined.ts";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { type ThreadChange, threadParams, threadSchema, threadTitle, updateThread } from "../threads/threads.ts";

const body = z
  .strictObject({ title: threadTitle.optional(), archived: z.boolean().optional() })
  .refine(({ title, archived }) => title !== undefined || archived !== undefined, "expected title, archived or both")
  .meta({ minProperties: 1 });

/** `PATCH /api/threads/:id`: renames a thread, archives it or brings it back. */
export function updateThreadRoute({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "PATCH",
    path: "/api/threads/:id",
    operation: "updateThread",
    tag: "threads",
    summary: "Renames a thread, archives it or brings it back.",
    access: "tenant",
    scope: "openclaw:write",
    params: threadParams,
    body,
    result: threadSchema,
    errors: ["thread_not_found"],
    answer: ({ tenant }, { params, body }) =>
      updateThread(store.db, tenantKey(tenant), params.id, defined<ThreadChange>(body)),
  });
}
