import { type Selectable, sql, type Transaction } from "kysely";
import type { KeyRing } from "#lib/keys.ts";
import { type AuditAction, appendAudit, type Change } from "../audit/audit.ts";
import type { CredentialsTable, Tables } from "../store/tables.ts";
import type { Grant } from "./grant.ts";
import { type CredentialScheme, hashSecret, newSecret } from "./secret.ts";

/** A credential on record. */
export type Credential = Selectable<CredentialsTable>;

/** What is audited when one is made and when it is revoked, and how it is named there. */
const AUDIT: Record<CredentialScheme, { create: AuditAction; revoke: AuditAction; object: string }> = {
  "api-token": { create: "token.create", revoke: "token.revoke", object: "token" },
  "agent-key": { create: "agent.key.create", revoke: "agent.key.revoke", object: "agent-key" },
};

/**
 * Makes changes of a user's credentials and agents wait for one another until the transaction ends: counts hold, and nothing is made
 * with what is being revoked. @throws StoreError
 */
export async function lockUser(trx: Transaction<Tables>, key: string): Promise<void> {
  await trx.selectFrom("users").select("tenant_key").where("tenant_key", "=", key).forUpdate().execute();
}

/** How many credentials a tenant has, once those that expired by `now` (milliseconds since the epoch) are cleared away. @throws StoreError */
export async function countLive(trx: Transaction<Tables>, key: string, now: number): Promise<number> {
  const live = trx.updateTable("credentials").where("tenant_key", "=", key).where("revoked_at", "is", null);
  await live.set({ revoked_at: sql<Date>`expires_at` }).where("expires_at", "<=", new Date(now)).execute();
  const { count } = await trx
    .selectFrom("credentials")
    .select(({ fn }) => fn.countAll<bigint>().as("count"))
    .where("tenant_key", "=", key)
    .where("revoked_at", "is", null)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** Makes a credential that acts for `tenant`; the secret is told here and nowhere else. @throws StoreError */
export async function issueCredential(
  trx: Transaction<Tables>,
  keyRing: KeyRing,
  o: { scheme: CredentialScheme; tenant: string; name: string; grant: Grant },
  { by, requestId }: Change,
): Promise<{ credential: Credential; secret: string }> {
  const { id, secret } = newSecret(o.scheme);
  const { scopes, expiresAt, madeWith } = o.grant;
  const credential = await trx
    .insertInto("credentials")
    .values({
      id,
      scheme: o.scheme,
      tenant_key: o.tenant,
      name: o.name,
      scopes: [...scopes],
      expires_at: expiresAt,
      made_with: madeWith,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  const hashes = hashSecret(keyRing, secret);
  await trx
    .insertInto("credential_hashes")
    .values(hashes.map(({ hash, rootKeyId }) => ({ hash, root_key_id: rootKeyId, credential_id: id })))
    .execute();
  const { create, object } = AUDIT[o.scheme];
  const detail = { tenant: o.tenant, scopes, expires_at: expiresAt?.getTime() ?? null, made_with: madeWith };
  await appendAudit(trx, { by, action: create, object: `${object}:${id}`, requestId, detail });
  return { credential, secret };
}

/**
 * Revokes a credential of the tenant's with all that was made with it; false = it has none of this id. Needs {@link lockUser} of the
 * human behind the tenant. @throws StoreError
 */
export async function revokeCredential(
  trx: Transaction<Tables>,
  { scheme, tenant, id }: { scheme: CredentialScheme; tenant: string; id: string },
  { by, requestId }: Change,
): Promise<boolean> {
  const { rows } = await sql<Pick<Credential, "id" | "scheme">>`
    with recursive ended as (
      select id from credentials
      where id = ${id} and scheme = ${scheme} and tenant_key = ${tenant} and revoked_at is null
      union select made.id from credentials made join ended on made.made_with = ended.id
    )
    update credentials c set revoked_at = now() from ended
    where c.id = ended.id and c.revoked_at is null
    returning c.id, c.scheme`.execute(trx);
  for (const ended of rows) {
    const { revoke, object } = AUDIT[ended.scheme];
    const detail = ended.id === id ? {} : { made_with: id };
    await appendAudit(trx, { by, action: revoke, object: `${object}:${ended.id}`, requestId, detail });
  }
  return rows.length > 0;
}
