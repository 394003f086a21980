import { type Kysely, sql } from "kysely";
import { OWNERS_RIGHTS, tableIn } from "./owners-rights.ts";

/**
 * The credit ledger: entries are only ever added, in a chain of hashes for each account. Postgres numbers, dates, chains and sums
 * them itself under a lock on the account, so that whoever may insert can neither make up a balance nor fork a chain.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const accounts = await tableIn(db, "ledger_accounts");
  await sql`
    create table ledger_accounts (
      account text collate "C" primary key check (account ~ '^(human|agent):.' and length(account) <= 263),
      seq bigint not null default 0,
      balance_micro_usd bigint not null default 0,
      hash bytea not null default '\\x0000000000000000000000000000000000000000000000000000000000000000'
    )`.execute(db);
  await sql`
    create table ledger_entries (
      account text collate "C" not null references ledger_accounts,
      seq bigint not null,
      created_at timestamptz not null,
      kind text not null check (kind in ('grant', 'burn', 'adjustment')),
      amount_micro_usd bigint not null check (amount_micro_usd <> 0 and abs(amount_micro_usd) <= 1000000000000),
      balance_after_micro_usd bigint not null,
      idempotency_key text collate "C" not null unique check (length(idempotency_key) between 1 and 256),
      meta jsonb not null default '{}',
      created_by text not null check (length(created_by) between 1 and 300),
      request_id text not null check (length(request_id) <= 64),
      prev_hash bytea not null,
      hash bytea not null,
      primary key (account, seq),
      constraint ledger_entries_sign check (kind = 'adjustment' or (kind = 'grant') = (amount_micro_usd > 0)),
      constraint ledger_entries_balance_bounded check (abs(balance_after_micro_usd) < 1000000000000000),
      constraint ledger_entries_meta_bounded check (jsonb_typeof(meta) = 'object' and octet_length(meta::text) <= 16384)
    )`.execute(db);
  // Runs with its owner's rights: those who insert have none on the accounts.
  await sql`
    create function ledger_chain() returns trigger language plpgsql ${OWNERS_RIGHTS} as $$
    declare head ${accounts};
    begin
      insert into ${accounts} (account) values (new.account) on conflict do nothing;
      select * into head from ${accounts} where account = new.account for update;
      new.seq := head.seq + 1;
      new.created_at := clock_timestamp();
      new.balance_after_micro_usd := head.balance_micro_usd + new.amount_micro_usd;
      new.prev_hash := head.hash;
      new.hash := sha256(head.hash || convert_to(jsonb_build_array(
        new.account, new.seq, to_char(new.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), new.kind,
        new.amount_micro_usd, new.balance_after_micro_usd, new.idempotency_key, new.meta, new.created_by,
        new.request_id)::text, 'UTF8'));
      return new;
    end $$`.execute(db);
  // Only once the entry is in: one whose key was used before is left out after the trigger above has run, and changes nothing.
  await sql`
    create function ledger_settle() returns trigger language plpgsql ${OWNERS_RIGHTS} as $$
    begin
      update ${accounts} set seq = new.seq, balance_micro_usd = new.balance_after_micro_usd, hash = new.hash
        where account = new.account and seq = new.seq - 1;
      if not found then
        raise exception 'entries of an account are added one by one' using errcode = 'integrity_constraint_violation';
      end if;
      return null;
    end $$`.execute(db);
  await sql`
    create trigger ledger_chain before insert on ledger_entries for each row execute function ledger_chain()`.execute(
    db,
  );
  await sql`
    create trigger ledger_settle after insert on ledger_entries for each row execute function ledger_settle()`.execute(
    db,
  );
  await sql`
    create trigger ledger_entries_are_kept before update or delete or truncate on ledger_entries
    for each statement execute function refuse_change()`.execute(db);
  await sql`
    create trigger ledger_accounts_are_kept before delete or truncate on ledger_accounts
    for each statement execute function refuse_change()`.execute(db);
}
