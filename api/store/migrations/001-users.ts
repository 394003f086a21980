import { type Kysely, sql } from "kysely";

/** Users, and who asked to become one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table users (
      tenant_key text primary key check (tenant_key = kind || ':' || user_id),
      kind text not null check (kind in ('human', 'agent')),
      user_id text not null check (length(user_id) between 1 and 256),
      email text check (email = lower(btrim(email)) and length(email) <= 320),
      name text check (length(name) <= 256),
      access_enabled boolean,
      access_updated_at timestamptz,
      access_updated_by text,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index users_by_creation on users (created_at, tenant_key)`.execute(db);
  await sql`
    create table waitlist (
      email text primary key check (email = lower(btrim(email)) and length(email) <= 320),
      source text not null check (length(source) <= 64),
      approved boolean not null default false,
      approved_at timestamptz,
      approved_by text,
      created_at timestamptz not null default now()
    )`.execute(db);
  await sql`create index waitlist_by_creation on waitlist (created_at, email)`.execute(db);
}
