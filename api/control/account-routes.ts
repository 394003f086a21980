import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import { recordUser } from "../access/users.ts";
import { createAgent } from "../agents/agents.ts";
import type { Change } from "../audit/audit.ts";
import { DEFAULT_AGENT_SCOPES, SCOPES } from "../auth/scopes.ts";
import type { ApiContext } from "../context.ts";
import { nameSchema } from "../credentials/describe.ts";
import { countLive, issueCredential, lockUser } from "../credentials/issue.ts";
import { hashSecret } from "../credentials/secret.ts";
import { ApiError } from "../errors.ts";
import { controlRoute, type Route } from "../http/route.ts";
import { toUsd } from "../ledger/money.ts";
import { balanceOf } from "../ledger/statement.ts";
import { MAX_TOKENS } from "../tokens/tokens.ts";
import { humanId, tenantOf, userId } from "./user.ts";

const REMEMBER_NOTHING = { mayBeRemembered: false };
/** What a token that is made for a user may be used for. */
const TOKEN_SCOPES = SCOPES.filter((scope) => scope !== "admin");
const agentScope = z.enum(SCOPES).exclude(["admin"]);
/** As the original system's callers send it; it means nothing here. */
const ignored = z.record(z.string(), z.unknown()).nullish();

/** The internal listener's callers have no name of their own. */
const by = (requestId: string): Change => ({ by: { name: "control", scheme: "control-key" }, requestId });

/** Tokens and accounts of users, and what they are worth. */
export function accountRoutes({ store, keyRing, credentials, clock }: ApiContext): Route[] {
  const resolveToken = controlRoute({
    method: "POST",
    path: "/control/auth/resolve-token",
    operation: "controlResolveToken",
    tag: "control",
    summary: "Whose an API token is; using it this way counts as a use.",
    body: z.strictObject({ token: z.string({ error: "token required" }).min(1).max(512) }),
    result: z.strictObject({ tokenId: z.string(), tokenHash: z.string(), user_id: z.string() }),
    errors: [],
    async answer(_call, { body: { token } }) {
      const { credentialId, tenant } = await credentials.verify("api-token", token, REMEMBER_NOTHING);
      return { tokenId: credentialId, tokenHash: hashSecret(keyRing, token)[0].hash, user_id: tenant.subject };
    },
  });
  const register = controlRoute({
    method: "POST",
    path: "/control/auth/agent/register",
    operation: "controlRegisterUser",
    tag: "control",
    summary: "Puts a user on record and makes an API token for them; the token is in this answer and never told again.",
    body: z.strictObject({
      user_id: humanId,
      name: nameSchema.optional(),
      token_name: nameSchema.default("registered"),
      metadata: ignored,
      nostr: ignored,
    }),
    result: z.strictObject({ user_id: z.string(), api_token: z.string(), created: z.boolean() }),
    errors: ["too_many_tokens", "conflict"],
    async answer({ requestId }, { body: { user_id, name, token_name } }) {
      const tenant = tenantOf(user_id);
      const key = tenantKey(tenant);
      return store.db.transaction().execute(async (trx) => {
        const created = await recordUser(trx, tenant);
        await lockUser(trx, key);
        if (name) await trx.updateTable("users").set({ name }).where("tenant_key", "=", key).execute();
        if ((await countLive(trx, key, clock.now())) >= MAX_TOKENS) {
          throw new ApiError("too_many_tokens", `${MAX_TOKENS} tokens are as many as there may be: revoke one first`, {
            step: "quota",
          });
        }
        const grant = { scopes: TOKEN_SCOPES, expiresAt: null, madeWith: null };
        const token = { scheme: "api-token", tenant: key, name: token_name, grant } as const;
        const { secret } = await issueCredential(trx, keyRing, token, by(requestId));
        return { user_id: tenant.subject, api_token: secret, created };
      });
    },
  });
  const billing = controlRoute({
    method: "GET",
    path: "/control/openclaw/billing/summary",
    operation: "controlBillingSummary",
    tag: "control",
    summary: "A user's credits.",
    query: z.object({ user_id: userId }),
    result: z.strictObject({ user_id: z.string(), balance_usd: z.number() }),
    errors: [],
    async answer(_call, { query: { user_id } }) {
      return { user_id, balance_usd: toUsd(await balanceOf(store.db, tenantKey(tenantOf(user_id)))) };
    },
  });
  return [resolveToken, register, billing];
}

/** Agents and their keys. */
export function agentRoutes({ store, keyRing, credentials, lastUse, clock, newId }: ApiContext): Route[] {
  const keyHash = z.string({ error: "key_hash required" }).regex(/^[0-9a-f]{64}$/, "is not 64 hex digits");

  async function known(hash: string) {
    const found = await credentials.identify("agent-key", hash);
    if (found) return found;
    throw new ApiError("agent_key_not_found", "Invalid or revoked key", { step: "agent_key" });
  }

  const signUp = controlRoute({
    method: "POST",
    path: "/control/agent/signup",
    operation: "controlSignUpAgent",
    tag: "control",
    summary:
      "Makes an agent with a first key; the key is in this answer and never told again. Without an owner, only an admin lets it in.",
    body: z.strictObject({
      handle: nameSchema.nullish(),
      owner_workos_user_id: humanId.nullish(),
      scopes: z
        .array(agentScope)
        .min(1)
        .max(SCOPES.length)
        .default(DEFAULT_AGENT_SCOPES.filter((scope) => scope !== "admin")),
      description: nameSchema.default(""),
    }),
    bodyIsOptional: true,
    result: z.strictObject({ agentUserId: z.string(), apiKey: z.string(), keyId: z.string(), keyHash: z.string() }),
    errors: ["too_many_agents", "conflict"],
    async answer({ requestId }, { body: { handle, owner_workos_user_id, scopes, description } }) {
      const owner = owner_workos_user_id ? tenantOf(owner_workos_user_id) : undefined;
      const change = by(requestId);
      return store.db.transaction().execute(async (trx) => {
        if (owner) await recordUser(trx, owner);
        const made = { id: newId(), owner: owner ? tenantKey(owner) : null, name: handle ?? "" };
        const { tenant_key: tenant } = await createAgent(trx, made, change);
        const grant = { scopes: [...new Set(scopes)], expiresAt: null, madeWith: null };
        const key = { scheme: "agent-key", tenant, name: description, grant } as const;
        const { credential, secret } = await issueCredential(trx, keyRing, key, change);
        return {
          agentUserId: made.id,
          apiKey: secret,
          keyId: credential.id,
          keyHash: hashSecret(keyRing, secret)[0].hash,
        };
      });
    },
  });
  const byKeyHash = controlRoute({
    method: "GET",
    path: "/control/agent/by-key-hash",
    operation: "controlAgentByKeyHash",
    tag: "control",
    summary: "The agent of a key, by the hash that was told when the key was made.",
    query: z.object({ key_hash: keyHash }),
    result: z.strictObject({ agent_user_id: z.string(), scopes: z.array(z.enum(SCOPES)) }),
    errors: ["agent_key_not_found"],
    async answer(_call, { query: { key_hash } }) {
      const { tenant, scopes } = await known(key_hash);
      return { agent_user_id: tenant.subject, scopes: SCOPES.filter((scope) => scopes.has(scope)) };
    },
  });
  const touch = controlRoute({
    method: "POST",
    path: "/control/agent/touch",
    operation: "controlTouchAgentKey",
    tag: "control",
    summary: "Notes a use of a key.",
    body: z.strictObject({ key_hash: keyHash }),
    result: z.strictObject({}),
    errors: ["agent_key_not_found"],
    async answer(_call, { body: { key_hash } }) {
      const { credentialId } = await known(key_hash);
      lastUse.note({ credentialId, at: clock.now() });
      return {};
    },
  });
  return [signUp, byKeyHash, touch];
}
