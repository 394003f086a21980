import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { pageQuery } from "../http/page.ts";
import { flag } from "../http/query.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { listThreads, THREAD_KINDS, threadPageSchema } from "../threads/threads.ts";

const query = z.object({
  archived: flag.optional().describe("Only those that are archived, or only those that are not."),
  kind: z.enum(THREAD_KINDS).optional(),
  ...pageQuery,
});

/** `GET /api/threads`: the caller's threads, the newest first. */
export function listThreadsRoute({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/threads",
    operation: "listThreads",
    tag: "threads",
    summary: "The caller's threads, the newest first.",
    access: "tenant",
    scope: "openclaw:read",
    query,
    result: threadPageSchema,
    errors: [],
    answer: ({ tenant }, input) => listThreads(store.db, tenantKey(tenant), input.query),
  });
}
