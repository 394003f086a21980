import { type Kysely, sql } from "kysely";

/** Users' own secrets, sealed under a root key with tenant and name. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table sealed_secrets (
      tenant_key text not null,
      name text not null check (name in ('service_token', 'provider_keys')),
      key_id text not null check (key_id ~ '^[0-9a-f]{8}$'),
      sealed bytea not null check (length(sealed) <= 70000),
      updated_at timestamptz not null default now(),
      primary key (tenant_key, name)
    )`.execute(db);
}
