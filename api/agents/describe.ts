import * as z from "zod";
import { credentialSchema, describeCredential } from "../credentials/describe.ts";
import type { Credential } from "../credentials/issue.ts";
import type { AgentWithKeys } from "./agents.ts";

/** A key of an agent, as the agent's owner sees it. */
export const agentKeySchema = credentialSchema.extend({ description: z.string() });

/** An agent as its owner sees it; times are milliseconds since the epoch. */
export const agentSchema = z.strictObject({
  id: z.string(),
  tenant_id: z.string().describe("`agent:<id>`: as whom it calls."),
  name: z.string(),
  status: z.enum(["active", "disabled"]),
  created_at: z.int(),
  keys: z.array(agentKeySchema).describe("But revoked ones."),
});

/** The path's parameter that names an agent. */
export const agentId = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,128}$/, "is not the id of an agent")
  .describe("Of an agent of the caller's.");

/** A key as the agent's owner sees it. */
export function describeKey(row: Credential): z.output<typeof agentKeySchema> {
  return { ...describeCredential(row), description: row.name };
}

/** An agent as its owner sees it. */
export function describeAgent(agent: AgentWithKeys): z.output<typeof agentSchema> {
  return {
    id: agent.user_id,
    tenant_id: agent.tenant_key,
    name: agent.name ?? "",
    status: agent.status,
    created_at: agent.created_at.getTime(),
    keys: agent.keys.map(describeKey),
  };
}
