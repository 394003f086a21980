import type { Kysely } from "kysely";
import { tenantKey } from "#crds/index.ts";
import type { KeyRing } from "#lib/keys.ts";
import type { Change } from "../audit/audit.ts";
import type { Identity } from "../auth/identity.ts";
import type { Scope } from "../auth/scopes.ts";
import { type GrantRequest, resolveGrant } from "../credentials/grant.ts";
import { type Credential, countLive, issueCredential, lockUser, revokeCredential } from "../credentials/issue.ts";
import { ApiError } from "../errors.ts";
import { comesAfter, microseconds, type Position } from "../store/position.ts";
import type { Tables } from "../store/tables.ts";

/** Tokens of one owner that are good at a time. */
export const MAX_TOKENS = 50;

/** What a new token may be used for unless its maker says otherwise. */
const USUAL_SCOPES: readonly Scope[] = ["openclaw:read", "openclaw:write", "openclaw:chat"];

/**
 * Makes a token that acts for the caller, a human; it is told once. `now` is in milliseconds since the epoch.
 * @throws ApiError like `resolveGrant`, 409 when the caller has as many as there may be; StoreError.
 */
export function createToken(
  db: Kysely<Tables>,
  keyRing: KeyRing,
  identity: Identity,
  asked: Omit<GrantRequest, "usual"> & { name: string; now: number },
  change: Change,
): Promise<{ credential: Credential; secret: string }> {
  const tenant = tenantKey(identity.tenant);
  return db.transaction().execute(async (trx) => {
    await lockUser(trx, tenant);
    const grant = await resolveGrant(trx, identity, { ...asked, usual: USUAL_SCOPES }, asked.now);
    if ((await countLive(trx, tenant, asked.now)) >= MAX_TOKENS) {
      throw new ApiError("too_many_tokens", `${MAX_TOKENS} tokens are as many as there may be: revoke one first`, {
        step: "quota",
      });
    }
    return issueCredential(trx, keyRing, { scheme: "api-token", tenant, name: asked.name, grant }, change);
  });
}

/** The owner's tokens but revoked ones, newest first: one more than `limit`, if there are more. @throws StoreError */
export function listTokens(
  db: Kysely<Tables>,
  { owner, limit, after }: { owner: string; limit: number; after: Position | undefined },
): Promise<(Credential & { at: bigint })[]> {
  return db
    .selectFrom("credentials")
    .selectAll()
    .select(microseconds("created_at").as("at"))
    .where("tenant_key", "=", owner)
    .where("scheme", "=", "api-token")
    .where("revoked_at", "is", null)
    .where(comesAfter(after, { time: "created_at", key: "id" }))
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(limit + 1)
    .execute();
}

/**
 * Revokes a token of the owner's, and what was made with it.
 * @throws ApiError 404 when the owner has no such token; StoreError.
 */
export function revokeToken(
  db: Kysely<Tables>,
  { owner, id }: { owner: string; id: string },
  change: Change,
): Promise<void> {
  return db.transaction().execute(async (trx) => {
    await lockUser(trx, owner);
    const revoked = await revokeCredential(trx, { scheme: "api-token", tenant: owner, id }, change);
    if (!revoked) throw new ApiError("token_not_found", "token not found", { step: "token" });
  });
}
