import { type Kysely, sql } from "kysely";

/**
 * Threads and their messages. Messages are numbered by their thread, whose row is locked meanwhile; they go when it goes.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table threads (
      id uuid primary key default gen_random_uuid(),
      tenant_key text not null,
      title text not null check (length(title) between 1 and 200),
      kind text not null check (kind in ('chat', 'project', 'openclaw')),
      archived boolean not null default false,
      message_count integer not null default 0,
      created_at timestamptz not null default clock_timestamp(),
      updated_at timestamptz not null default clock_timestamp()
    )`.execute(db);
  await sql`create index threads_by_tenant on threads (tenant_key, created_at desc, id desc)`.execute(db);
  // As json, not jsonb: what a message says is given back as it was sent, whatever characters are in it.
  await sql`
    create table thread_messages (
      thread_id uuid not null references threads on delete cascade,
      position integer not null check (position > 0),
      message_id text collate "C" not null check (length(message_id) between 1 and 128),
      role text not null check (role in ('user', 'assistant', 'system', 'tool')),
      parts json not null check (json_typeof(parts) = 'array'),
      bytes integer not null check (bytes = octet_length(parts::text) and bytes <= 262144),
      content_hash bytea not null check (length(content_hash) = 32),
      created_at timestamptz not null default clock_timestamp(),
      primary key (thread_id, position),
      unique (thread_id, message_id)
    )`.execute(db);
}
