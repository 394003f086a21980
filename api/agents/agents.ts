import { type Kysely, type Selectable, sql, type Transaction } from "kysely";
import { appendAudit, type Change } from "../audit/audit.ts";
import { type Credential, lockUser } from "../credentials/issue.ts";
import { ApiError } from "../errors.ts";
import { comesAfter, microseconds, type Position } from "../store/position.ts";
import type { AgentsTable, Tables, UsersTable } from "../store/tables.ts";

/** Active agents of one owner. */
export const MAX_AGENTS = 20;

/** An agent with what every tenant has. */
export type Agent = Selectable<AgentsTable> & Pick<Selectable<UsersTable>, "user_id" | "name">;

/** An agent and its keys but revoked ones, newest first. */
export type AgentWithKeys = Agent & { keys: Credential[] };

/**
 * Makes an agent. `owner` is the tenant key of the human who answers for it; null = nobody does.
 * @throws ApiError 409 when the owner has as many as there may be; StoreError.
 */
export async function createAgent(
  trx: Transaction<Tables>,
  { id, owner, name }: { id: string; owner: string | null; name: string },
  { by, requestId }: Change,
): Promise<Agent> {
  if (owner !== null) await requireRoom(trx, owner);
  const tenant_key = `agent:${id}`;
  const user = await trx
    .insertInto("users")
    .values({ tenant_key, kind: "agent", user_id: id, name })
    .returning(["user_id", "name"])
    .executeTakeFirstOrThrow();
  const agent = await trx.insertInto("agents").values({ tenant_key, owner }).returningAll().executeTakeFirstOrThrow();
  await appendAudit(trx, { by, action: "agent.create", object: tenant_key, requestId, detail: { owner } });
  return { ...agent, ...user };
}

/**
 * Disables an agent of the owner's, whose keys are refused from then on, or lets it act again.
 * @throws ApiError 404 when the owner has no such agent, 409 when it would be one too many; StoreError.
 */
export function setAgentStatus(
  db: Kysely<Tables>,
  { owner, id, status }: { owner: string; id: string; status: Agent["status"] },
  { by, requestId }: Change,
): Promise<AgentWithKeys> {
  return db.transaction().execute(async (trx) => {
    await lockUser(trx, owner);
    const agent = await requireAgent(trx, owner, id);
    if (agent.status !== status) {
      if (status === "active") await requireRoom(trx, owner);
      await trx.updateTable("agents").set({ status }).where("tenant_key", "=", agent.tenant_key).execute();
      const object = agent.tenant_key;
      await appendAudit(trx, { by, action: "agent.set", object, requestId, detail: { status } });
    }
    const [keys] = await keysOf(trx, [agent]);
    return { ...agent, status, keys: keys ?? [] };
  });
}

/** The owner's agents with their keys, newest first: one more than `limit`, if there are more. @throws StoreError */
export async function listAgents(
  db: Kysely<Tables>,
  { owner, limit, after }: { owner: string; limit: number; after: Position | undefined },
): Promise<(AgentWithKeys & { at: bigint })[]> {
  const agents = await selectAgents(db, owner)
    .select(microseconds("a.created_at").as("at"))
    .where(comesAfter(after, { time: "a.created_at", key: "a.tenant_key" }))
    .orderBy("a.created_at", "desc")
    .orderBy("a.tenant_key", "desc")
    .limit(limit + 1)
    .execute();
  const keys = await keysOf(db, agents);
  return agents.map((agent, index) => ({ ...agent, keys: keys[index] ?? [] }));
}

/** The owner's agent of this id. @throws ApiError 404 when the owner has none; StoreError. */
export async function requireAgent(trx: Transaction<Tables>, owner: string, id: string): Promise<Agent> {
  const agent = await selectAgents(trx, owner).where("a.tenant_key", "=", `agent:${id}`).executeTakeFirst();
  if (agent) return agent;
  throw new ApiError("agent_not_found", "agent not found", { step: "agent" });
}

function selectAgents(db: Kysely<Tables>, owner: string) {
  return db
    .selectFrom("agents as a")
    .innerJoin("users as u", "u.tenant_key", "a.tenant_key")
    .select(["a.tenant_key", "a.owner", "a.status", "a.created_at", "u.user_id", "u.name"])
    .where("a.owner", "=", owner);
}

/** Of each agent in turn. */
async function keysOf(db: Kysely<Tables>, agents: readonly Agent[]): Promise<Credential[][]> {
  if (agents.length === 0) return [];
  const keys = await db
    .selectFrom("credentials")
    .selectAll()
    .where(sql<boolean>`tenant_key = any(${agents.map(({ tenant_key }) => tenant_key)}::text[])`)
    .where("revoked_at", "is", null)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .execute();
  const byAgent = Map.groupBy(keys, ({ tenant_key }) => tenant_key);
  return agents.map(({ tenant_key }) => byAgent.get(tenant_key) ?? []);
}

async function requireRoom(trx: Transaction<Tables>, owner: string): Promise<void> {
  await lockUser(trx, owner);
  const { count } = await trx
    .selectFrom("agents")
    .select(({ fn }) => fn.countAll<bigint>().as("count"))
    .where("owner", "=", owner)
    .where("status", "=", "active")
    .executeTakeFirstOrThrow();
  if (count < MAX_AGENTS) return;
  throw new ApiError("too_many_agents", `${MAX_AGENTS} agents are as many as may be active: disable one first`, {
    step: "quota",
  });
}
