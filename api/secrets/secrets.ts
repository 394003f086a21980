import { type Kysely, sql } from "kysely";
import { type Tenant, tenantKey } from "#crds/index.ts";
import type { KeyRing } from "#lib/keys.ts";
import { seal, unseal } from "#lib/seal.ts";
import type { Tables } from "../store/tables.ts";

/** What may be kept for a tenant. */
export const SECRET_NAMES = ["service_token", "provider_keys"] as const;

/** One of {@link SECRET_NAMES}. */
export type SecretName = (typeof SECRET_NAMES)[number];

/** Keeps a secret of a tenant's, in place of the one there was. @throws StoreError */
export async function putSecret(
  db: Kysely<Tables>,
  ring: KeyRing,
  tenant: Tenant,
  name: SecretName,
  secret: string,
): Promise<void> {
  const { keyId: key_id, bytes } = seal(ring, secret, tenantKey(tenant), name);
  const sealed = Buffer.from(bytes);
  await db
    .insertInto("sealed_secrets")
    .values({ tenant_key: tenantKey(tenant), name, key_id, sealed })
    .onConflict((conflict) =>
      conflict.columns(["tenant_key", "name"]).doUpdateSet({ key_id, sealed, updated_at: sql<Date>`now()` }),
    )
    .execute();
}

/** A secret of a tenant's; undefined = none is kept. @throws StoreError; SealError when it cannot be opened. */
export async function getSecret(
  db: Kysely<Tables>,
  ring: KeyRing,
  tenant: Tenant,
  name: SecretName,
): Promise<string | undefined> {
  const row = await db
    .selectFrom("sealed_secrets")
    .select(["key_id", "sealed"])
    .where("tenant_key", "=", tenantKey(tenant))
    .where("name", "=", name)
    .executeTakeFirst();
  return row && unseal(ring, { keyId: row.key_id, bytes: row.sealed }, tenantKey(tenant), name);
}

/** Forgets all secrets of a tenant's. @throws StoreError */
export async function deleteSecrets(db: Kysely<Tables>, tenant: Tenant): Promise<void> {
  await db.deleteFrom("sealed_secrets").where("tenant_key", "=", tenantKey(tenant)).execute();
}
