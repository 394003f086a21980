import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import { setAgentStatus } from "../agents/agents.ts";
import { agentId, agentSchema, describeAgent } from "../agents/describe.ts";
import { changeBy } from "../audit/audit.ts";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";

/** `PATCH /api/agents/:id {status}`: disables an agent of the caller's, or lets it act again. */
export function setAgentStatusRoute({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "PATCH",
    path: "/api/agents/:id",
    operation: "setAgentStatus",
    tag: "account",
    summary: "Disables an agent of the caller's, whose keys are refused from then on, or lets it act again.",
    access: "tenant",
    scope: "openclaw:write",
    humansOnly: true,
    params: z.object({ id: agentId }),
    body: z.strictObject({ status: agentSchema.shape.status }),
    result: agentSchema,
    errors: ["agent_not_found", "too_many_agents", "conflict"],
    async answer(call, { params: { id }, body: { status } }) {
      const asked = { owner: tenantKey(call.tenant), id, status };
      return describeAgent(await setAgentStatus(store.db, asked, changeBy(call)));
    },
  });
}
