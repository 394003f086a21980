import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import { createAgent } from "../agents/agents.ts";
import { agentSchema, describeAgent } from "../agents/describe.ts";
import { changeBy } from "../audit/audit.ts";
import type { ApiContext } from "../context.ts";
import { givenNameSchema } from "../credentials/describe.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";

/** `POST /api/agents {name}`: makes an agent that the caller answers for; it calls with keys of its own. */
export function createAgentRoute({ store, newId }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/agents",
    operation: "createAgent",
    tag: "account",
    summary: "Makes an agent that the caller answers for: a tenant of its own, which gets in with its owner.",
    access: "tenant",
    scope: "openclaw:write",
    humansOnly: true,
    body: z.strictObject({ name: givenNameSchema }),
    result: agentSchema,
    errors: ["too_many_agents", "conflict"],
    async answer(call, { body: { name } }) {
      const agent = await store.db
        .transaction()
        .execute((trx) => createAgent(trx, { id: newId(), owner: tenantKey(call.tenant), name }, changeBy(call)));
      return describeAgent({ ...agent, keys: [] });
    },
  });
}
