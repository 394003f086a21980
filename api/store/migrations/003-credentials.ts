import { type Kysely, sql } from "kysely";

/**
 * Agents, and the credentials of agents and humans. A credential has a hash per root key, added as keys come: those of the ring it was
 * made under, and the newest one's at its next use. So a new root key, put before the old one replica by replica or taken back, locks
 * nobody out.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table agents (
      tenant_key text primary key references users (tenant_key) check (tenant_key like 'agent:%'),
      owner text references users (tenant_key) check (owner like 'human:%'),
      status text not null default 'active' check (status in ('active', 'disabled')),
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index agents_by_owner on agents (owner, created_at, tenant_key)`.execute(db);
  await sql`
    create table credentials (
      id text primary key check (length(id) <= 64),
      scheme text not null check (scheme in ('api-token', 'agent-key')),
      tenant_key text not null references users (tenant_key),
      name text not null check (length(name) <= 256),
      scopes text[] not null,
      made_with text references credentials (id),
      created_at timestamptz not null default now(),
      expires_at timestamptz,
      last_used_at timestamptz,
      revoked_at timestamptz,
      check (tenant_key like case scheme when 'api-token' then 'human:%' else 'agent:%' end)
    )`.execute(db);
  await sql`create index credentials_by_tenant on credentials (tenant_key, created_at, id) where revoked_at is null`.execute(
    db,
  );
  await sql`create index credentials_by_maker on credentials (made_with) where made_with is not null`.execute(db);
  await sql`
    create table credential_hashes (
      hash text primary key check (hash ~ '^[0-9a-f]{64}$'),
      root_key_id text not null check (root_key_id ~ '^[0-9a-f]{8}$'),
      credential_id text not null references credentials (id),
      unique (credential_id, root_key_id)
    )`.execute(db);
}
