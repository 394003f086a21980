import type { Kysely } from "kysely";
import { tenantKey } from "#crds/index.ts";
import type { KeyRing } from "#lib/keys.ts";
import type { Change } from "../audit/audit.ts";
import type { Identity } from "../auth/identity.ts";
import { DEFAULT_AGENT_SCOPES } from "../auth/scopes.ts";
import { type GrantRequest, resolveGrant } from "../credentials/grant.ts";
import { type Credential, countLive, issueCredential, lockUser, revokeCredential } from "../credentials/issue.ts";
import { ApiError } from "../errors.ts";
import type { Tables } from "../store/tables.ts";
import { requireAgent } from "./agents.ts";

/** Keys of one agent that are good at a time. */
export const MAX_KEYS = 10;

/**
 * Makes a key for an agent of the caller's, a human; it is told once. `now` is in milliseconds since the epoch.
 * @throws ApiError 404 when the caller has no such agent, 409 when it has as many keys as there may be, and like `resolveGrant`;
 * StoreError.
 */
export function createAgentKey(
  db: Kysely<Tables>,
  keyRing: KeyRing,
  identity: Identity,
  asked: Omit<GrantRequest, "usual" | "mayBeAdmin"> & { agentId: string; description: string; now: number },
  change: Change,
): Promise<{ credential: Credential; secret: string }> {
  const owner = tenantKey(identity.tenant);
  return db.transaction().execute(async (trx) => {
    await lockUser(trx, owner);
    const { tenant_key: tenant } = await requireAgent(trx, owner, asked.agentId);
    const grant = await resolveGrant(
      trx,
      identity,
      { ...asked, usual: DEFAULT_AGENT_SCOPES, mayBeAdmin: false },
      asked.now,
    );
    if ((await countLive(trx, tenant, asked.now)) >= MAX_KEYS) {
      throw new ApiError("too_many_keys", `${MAX_KEYS} keys are as many as an agent may have: revoke one first`, {
        step: "quota",
      });
    }
    return issueCredential(trx, keyRing, { scheme: "agent-key", tenant, name: asked.description, grant }, change);
  });
}

/**
 * Revokes a key of an agent of the owner's.
 * @throws ApiError 404 when the owner has no such agent, or that one no such key; StoreError.
 */
export function revokeAgentKey(
  db: Kysely<Tables>,
  { owner, agentId, keyId }: { owner: string; agentId: string; keyId: string },
  change: Change,
): Promise<void> {
  return db.transaction().execute(async (trx) => {
    await lockUser(trx, owner);
    const { tenant_key: tenant } = await requireAgent(trx, owner, agentId);
    const revoked = await revokeCredential(trx, { scheme: "agent-key", tenant, id: keyId }, change);
    if (!revoked) throw new ApiError("agent_key_not_found", "agent key not found", { step: "agent_key" });
  });
}
