import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { createThread, THREAD_KINDS, threadSchema, threadTitle } from "../threads/threads.ts";

const body = z.strictObject({
  title: threadTitle.default("New Chat"),
  kind: z.enum(THREAD_KINDS).default("chat"),
});

/** `POST /api/threads`: makes a thread. */
export function createThreadRoute({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/threads",
    operation: "createThread",
    tag: "threads",
    summary: "Makes a thread.",
    access: "tenant",
    scope: "openclaw:write",
    body,
    bodyIsOptional: true,
    result: threadSchema,
    errors: ["too_many_threads"],
    answer: ({ tenant }, input) => createThread(store.db, tenantKey(tenant), input.body),
  });
}
