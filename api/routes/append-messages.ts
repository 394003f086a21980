import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { appendedSchema, appendMessages, MAX_APPENDED, newMessageSchema } from "../threads/messages.ts";
import { threadParams } from "../threads/threads.ts";

const body = z.strictObject({
  messages: z.array(newMessageSchema).min(1).max(MAX_APPENDED),
});

const result = z.strictObject({ items: z.array(appendedSchema).describe("In the order of the call.") });

/** `POST /api/threads/:id/messages`: adds messages to a thread. */
export function appendMessagesRoute({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/threads/:id/messages",
    operation: "appendMessages",
    tag: "threads",
    summary: "Adds messages to a thread, all or none; those that are there already stay as they are.",
    access: "tenant",
    scope: "openclaw:write",
    params: threadParams,
    body,
    result,
    errors: ["thread_not_found", "idempotency_conflict", "thread_full"],
    async answer({ tenant }, { params, body }) {
      return { items: await appendMessages(store.db, tenantKey(tenant), params.id, body.messages) };
    },
  });
}
