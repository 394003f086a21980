import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { pageQuery } from "../http/page.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { listMessages, messagePageSchema } from "../threads/messages.ts";
import { threadParams } from "../threads/threads.ts";

const query = z.object({
  order: z.enum(["asc", "desc"]).default("asc").describe("`asc` begins with the oldest, `desc` with the newest."),
  ...pageQuery,
});

/** `GET /api/threads/:id/messages`: the messages of a thread. */
export function listMessagesRoute({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/threads/:id/messages",
    operation: "listMessages",
    tag: "threads",
    summary: "The messages of a thread; a page ends early where they are long.",
    access: "tenant",
    scope: "openclaw:read",
    params: threadParams,
    query,
    result: messagePageSchema,
    errors: ["thread_not_found"],
    answer: ({ tenant }, { params, query }) => listMessages(store.db, tenantKey(tenant), params.id, query),
  });
}
