import { type Kysely, sql } from "kysely";

/** What agents asked to be allowed, and what their humans said. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table approvals (
      id uuid primary key,
      tenant_key text not null,
      owner_key text,
      tool text not null check (length(tool) <= 64),
      input jsonb not null,
      input_hash bytea not null check (length(input_hash) = 32),
      summary text not null check (length(summary) <= 1000),
      decision text check (decision in ('approved', 'rejected')),
      created_at timestamptz not null,
      expires_at timestamptz not null,
      decided_at timestamptz,
      decided_by text,
      used_at timestamptz,
      check ((decision is null) = (decided_at is null)),
      check (used_at is null or decision = 'approved')
    )`.execute(db);
  await sql`create index approvals_by_tenant on approvals (tenant_key, created_at desc, id)`.execute(db);
  await sql`create index approvals_by_owner on approvals (owner_key, created_at desc, id) where owner_key is not null`.execute(
    db,
  );
}
