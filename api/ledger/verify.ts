import { sql, type Transaction } from "kysely";
import { chainHash, chainTime, GENESIS } from "../store/hash-chain.ts";
import { PAGE_ROWS, walk } from "../store/snapshot.ts";
import type { Tables } from "../store/tables.ts";

/** Accounts that a report names at most; all are counted. */
const MAX_NAMED = 1000;

/** The first thing that is wrong with an account. */
export interface BrokenAccount {
  readonly account: string;
  /** Number of the entry; null = the entries are good, the account's own row is not. */
  readonly entry: string | null;
  readonly fault: string;
}

/** What became of the ledger's check. */
export interface LedgerReport {
  /** Accounts with an entry. */
  readonly accounts: number;
  readonly entries: number;
  readonly brokenAccounts: number;
  /** Each with its first fault; the first 1,000 of them. */
  readonly broken: readonly BrokenAccount[];
}

/** Where the check of one account is. */
interface Progress {
  readonly account: string;
  seq: bigint;
  sum: bigint;
  hash: Buffer;
  head: Head | undefined;
  broken: boolean;
}

interface Head {
  readonly seq: bigint;
  readonly balance: bigint;
  readonly hash: Buffer;
}

/**
 * Computes every account's chain and balance anew and compares them with what is stored.
 * @throws StoreError, and the signal's reason when that aborts.
 */
export async function verifyLedger(trx: Transaction<Tables>, signal: AbortSignal): Promise<LedgerReport> {
  const report = { accounts: 0, entries: 0, brokenAccounts: 0, broken: [] as BrokenAccount[] };
  const tell = (broken: BrokenAccount) => {
    report.brokenAccounts += 1;
    if (report.broken.length < MAX_NAMED) report.broken.push(broken);
  };
  let at: Progress | undefined;
  for await (const row of walk((last: EntryRow | undefined) => readEntries(trx, last), signal)) {
    if (row.account !== at?.account) {
      if (at) end(at, tell);
      at = { account: row.account, seq: 0n, sum: 0n, hash: GENESIS, head: headOf(row), broken: false };
      report.accounts += 1;
    }
    report.entries += 1;
    step(at, row, tell);
  }
  if (at) end(at, tell);
  for await (const { account } of walk((last: EmptyRow | undefined) => readEmptyAccounts(trx, last), signal)) {
    tell({ account, entry: "1", fault: "is missing: the account has a balance or a head, and no entry" });
  }
  return report;
}

function step(at: Progress, row: EntryRow, tell: (broken: BrokenAccount) => void): void {
  if (at.broken) return;
  const fault = faultOf(at, row);
  if (fault) {
    at.broken = true;
    tell({ account: at.account, entry: String(at.seq + 1n), fault });
  }
  at.seq = row.seq;
  at.sum += row.amount;
  at.hash = row.hash;
}

function faultOf(at: Progress, row: EntryRow): string | undefined {
  if (row.seq !== at.seq + 1n) return `is missing: the next one is ${row.seq}`;
  if (!row.prev_hash.equals(at.hash)) return "does not follow the one before";
  const { account, seq, time, kind, amount, balance, key, meta, created_by, request_id } = row;
  const fields = [account, seq, time, kind, amount, balance, key, { jsonb: meta }, created_by, request_id];
  if (!row.hash.equals(chainHash(at.hash, fields))) return "was changed: it has another hash";
  const sum = at.sum + amount;
  if (balance !== sum) return `says that the balance is ${balance} micro-dollars, the sum up to it is ${sum}`;
  return at.head && seq > at.head.seq ? `is one too many: the account ends with ${at.head.seq}` : undefined;
}

function end(at: Progress, tell: (broken: BrokenAccount) => void): void {
  if (at.broken) return;
  const fault = headFault(at);
  if (fault) tell({ account: at.account, ...fault });
}

function headFault({ head, seq, sum, hash }: Progress): Omit<BrokenAccount, "account"> | undefined {
  if (!head) return { entry: null, fault: "the account's own row is missing" };
  if (head.seq > seq) return { entry: String(seq + 1n), fault: `is missing: the account ends with ${head.seq}` };
  if (head.balance !== sum) {
    return { entry: null, fault: `the balance is ${head.balance} micro-dollars, the sum is ${sum}` };
  }
  return head.hash.equals(hash)
    ? undefined
    : { entry: String(seq), fault: "is not the one that the account ends with" };
}

type EntryRow = Awaited<ReturnType<typeof readEntries>>[number];

function headOf({ head_seq, head_balance, head_hash }: EntryRow): Head | undefined {
  if (head_seq === null || head_balance === null || head_hash === null) return undefined;
  return { seq: head_seq, balance: head_balance, hash: head_hash };
}

function readEntries(trx: Transaction<Tables>, last: { account: string; seq: bigint } | undefined) {
  let query = trx
    .selectFrom("ledger_entries as e")
    // A merge of both would begin with the first account for each page.
    .leftJoin("ledger_accounts as a", (join) =>
      join.onRef("a.account", "=", "e.account").on("a.account", ">=", last?.account ?? ""),
    )
    .select(["e.account", "e.seq", "e.kind", "e.amount_micro_usd as amount", "e.balance_after_micro_usd as balance"])
    .select(["e.idempotency_key as key", "e.created_by", "e.request_id", "e.prev_hash", "e.hash"])
    .select([chainTime("e.created_at").as("time"), sql<string>`e.meta::text`.as("meta")])
    .select(["a.seq as head_seq", "a.balance_micro_usd as head_balance", "a.hash as head_hash"]);
  if (last) query = query.where(sql<boolean>`(e.account, e.seq) > (${last.account}, ${last.seq})`);
  return query.orderBy("e.account").orderBy("e.seq").limit(PAGE_ROWS).execute();
}

type EmptyRow = Awaited<ReturnType<typeof readEmptyAccounts>>[number];

/** Accounts that have something and no entry it could come from; that a refused first entry left nothing in is fine. */
function readEmptyAccounts(trx: Transaction<Tables>, last: { account: string } | undefined) {
  return trx
    .selectFrom("ledger_accounts as a")
    .select("a.account")
    .where("a.account", ">", last?.account ?? "")
    .where((where) => where.or([where("a.seq", "<>", 0n), where("a.balance_micro_usd", "<>", 0n)]))
    .where((where) => {
      const entries = where.selectFrom("ledger_entries as e").select("e.seq").whereRef("e.account", "=", "a.account");
      return where.not(where.exists(entries));
    })
    .orderBy("a.account")
    .limit(PAGE_ROWS)
    .execute();
}
