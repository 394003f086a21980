import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import { agentId } from "../agents/describe.ts";
import { revokeAgentKey } from "../agents/keys.ts";
import { changeBy } from "../audit/audit.ts";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";

/** `DELETE /api/agents/:id/keys/:keyId`: revokes a key of an agent of the caller's. */
export function deleteAgentKey({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "DELETE",
    path: "/api/agents/:id/keys/:keyId",
    operation: "deleteAgentKey",
    tag: "account",
    summary: "Revokes a key of an agent of the caller's.",
    access: "tenant",
    scope: "openclaw:write",
    humansOnly: true,
    params: z.object({ id: agentId, keyId: z.string().regex(/^oak_[0-9a-f]{16}$/, "is not the id of a key") }),
    result: z.strictObject({ revoked: z.literal(true) }),
    errors: ["agent_not_found", "agent_key_not_found", "conflict"],
    async answer(call, { params: { id, keyId } }) {
      await revokeAgentKey(store.db, { owner: tenantKey(call.tenant), agentId: id, keyId }, changeBy(call));
      return { revoked: true };
    },
  });
}
