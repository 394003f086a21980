import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import { changeBy } from "../audit/audit.ts";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { revokeToken } from "../tokens/tokens.ts";

/** `DELETE /api/tokens/:id`: revokes a token of the caller's, and what was made with it. */
export function deleteToken({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "DELETE",
    path: "/api/tokens/:id",
    operation: "deleteToken",
    tag: "account",
    summary: "Revokes an API token of the caller's, with all tokens and keys that were made with it.",
    access: "tenant",
    scope: "openclaw:write",
    humansOnly: true,
    params: z.object({ id: z.string().regex(/^tok_[0-9a-f]{16}$/, "is not the id of a token") }),
    result: z.strictObject({ revoked: z.literal(true) }),
    errors: ["token_not_found", "conflict"],
    async answer(call, { params: { id } }) {
      await revokeToken(store.db, { owner: tenantKey(call.tenant), id }, changeBy(call));
      return { revoked: true };
    },
  });
}
