import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { decodeCursor, pageOf, pageQuery, pageSchema } from "../http/page.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { positionSchema } from "../store/position.ts";
import { describeToken, tokenSchema } from "../tokens/describe.ts";
import { listTokens } from "../tokens/tokens.ts";

/** `GET /api/tokens`: the caller's tokens but revoked ones, newest first; none of them can be read again. */
export function listTokensRoute({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/tokens",
    operation: "listTokens",
    tag: "account",
    summary: "The caller's API tokens but revoked ones, newest first.",
    access: "tenant",
    scope: "openclaw:read",
    humansOnly: true,
    query: z.object(pageQuery),
    result: pageSchema(tokenSchema),
    errors: [],
    async answer({ tenant }, { query: { limit, cursor } }) {
      const after = decodeCursor(positionSchema, cursor);
      const rows = await listTokens(store.db, { owner: tenantKey(tenant), limit, after });
      const position = (row: (typeof rows)[number]) => ({ at: Number(row.at), key: row.id });
      return pageOf(rows, limit, { item: describeToken, position });
    },
  });
}
