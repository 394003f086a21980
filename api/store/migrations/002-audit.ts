import { type Kysely, sql } from "kysely";
import { OWNERS_RIGHTS, tableIn } from "./owners-rights.ts";

/**
 * The audit log: rows are only ever added, each with a hash over itself and the hash before it. Postgres makes number, time and
 * hash itself, one row after the other, so that whoever may insert can neither date a row back nor fork the chain.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table audit_events (
      seq bigint primary key,
      at timestamptz not null,
      actor text not null check (length(actor) between 1 and 300),
      scheme text not null,
      action text not null,
      object text not null check (length(object) <= 600),
      outcome text not null check (outcome in ('succeeded', 'refused')),
      request_id text not null,
      detail jsonb not null default '{}',
      prev_hash bytea not null,
      hash bytea not null unique
    )`.execute(db);
  await sql`
    create table audit_head (
      only_row boolean primary key default true check (only_row),
      seq bigint not null default 0,
      hash bytea not null default '\\x0000000000000000000000000000000000000000000000000000000000000000'
    )`.execute(db);
  await sql`insert into audit_head default values`.execute(db);
  // Runs with its owner's rights: those who insert have none on the head.
  const auditHead = await tableIn(db, "audit_head");
  await sql`
    create function audit_chain() returns trigger language plpgsql ${OWNERS_RIGHTS} as $$
    declare head ${auditHead};
    begin
      select * into head from ${auditHead} for update;
      new.seq := head.seq + 1;
      new.at := clock_timestamp();
      new.prev_hash := head.hash;
      new.hash := sha256(head.hash || convert_to(jsonb_build_array(
        new.seq, to_char(new.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), new.actor, new.scheme, new.action,
        new.object, new.outcome, new.request_id, new.detail)::text, 'UTF8'));
      update ${auditHead} set seq = new.seq, hash = new.hash;
      return new;
    end $$`.execute(db);
  await sql`create trigger audit_chain before insert on audit_events for each row execute function audit_chain()`.execute(
    db,
  );
  await sql`
    create function refuse_change() returns trigger language plpgsql as $$
    begin
      raise exception '% rows are never changed', tg_table_name using errcode = 'insufficient_privilege';
    end $$`.execute(db);
  await sql`
    create trigger audit_events_are_kept before update or delete or truncate on audit_events
    for each statement execute function refuse_change()`.execute(db);
}
