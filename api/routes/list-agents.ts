import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import { listAgents } from "../agents/agents.ts";
import { agentSchema, describeAgent } from "../agents/describe.ts";
import type { ApiContext } from "../context.ts";
import { decodeCursor, pageOf, pageQuery, pageSchema } from "../http/page.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { positionSchema } from "../store/position.ts";

/** `GET /api/agents`: the caller's agents with their keys, newest first. */
export function listAgentsRoute({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/agents",
    operation: "listAgents",
    tag: "account",
    summary: "The caller's agents with their keys, newest first.",
    access: "tenant",
    scope: "openclaw:read",
    humansOnly: true,
    query: z.object(pageQuery),
    result: pageSchema(agentSchema),
    errors: [],
    async answer({ tenant }, { query: { limit, cursor } }) {
      const after = decodeCursor(positionSchema, cursor);
      const rows = await listAgents(store.db, { owner: tenantKey(tenant), limit, after });
      const position = (row: (typeof rows)[number]) => ({ at: Number(row.at), key: row.tenant_key });
      return pageOf(rows, limit, { item: describeAgent, position });
    },
  });
}
