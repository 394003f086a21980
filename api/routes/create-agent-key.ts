import * as z from "zod";
import { requireLastingAccess } from "../access/gate.ts";
import { agentId, agentKeySchema, describeKey } from "../agents/describe.ts";
import { createAgentKey } from "../agents/keys.ts";
import { changeBy } from "../audit/audit.ts";
import { SCOPES } from "../auth/scopes.ts";
import type { ApiContext } from "../context.ts";
import { expirySchema, nameSchema } from "../credentials/describe.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";

/** Agents are never admins. */
const agentScope = z.enum(SCOPES).exclude(["admin"]);

const body = z.strictObject({
  description: nameSchema.default(""),
  scopes: z
    .array(agentScope)
    .min(1)
    .max(SCOPES.length)
    .optional()
    .describe("Absent = `openclaw:read` and `openclaw:write`, as far as the caller has them."),
  expires_at: expirySchema,
});

/** `POST /api/agents/:id/keys {description?, scopes?, expires_at?}`: makes a key for an agent; the answer alone has it. */
export function createAgentKeyRoute({ store, keyRing, clock, access }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/agents/:id/keys",
    operation: "createAgentKey",
    tag: "account",
    summary: "Makes a key for an agent of the caller's; the key is in this answer and never told again.",
    access: "tenant",
    scope: "openclaw:write",
    humansOnly: true,
    params: z.object({ id: agentId }),
    body,
    bodyIsOptional: true,
    result: agentKeySchema.extend({ key: z.string() }),
    errors: ["agent_not_found", "too_many_keys", "conflict"],
    async answer(call, { params: { id: agentId }, body: { description, scopes, expires_at: expiresAt } }) {
      await requireLastingAccess(access, call.identity);
      const asked = { agentId, description, scopes, expiresAt, now: clock.now() };
      const made = await createAgentKey(store.db, keyRing, call.identity, asked, changeBy(call));
      return { ...describeKey(made.credential), key: made.secret };
    },
  });
}
