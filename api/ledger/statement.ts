import type { Kysely } from "kysely";
import * as z from "zod";
import { decodeCursor, pageOf, pageSchema } from "../http/page.ts";
import type { Tables } from "../store/tables.ts";
import { toUsd } from "./money.ts";
import type { LedgerEntry } from "./posting.ts";

/** An entry as callers see it. */
export const ledgerEntrySchema = z.strictObject({
  id: z.string().describe("1, 2, 3, ... of the account."),
  kind: z.enum(["grant", "burn", "adjustment"] satisfies LedgerEntry["kind"][]),
  amount_usd: z.number().describe("US dollars, exact to six decimals; what was used is below 0."),
  balance_after_usd: z.number().describe("US dollars, exact to six decimals."),
  meta: z.record(z.string(), z.unknown()),
  created_at: z.int().describe("Milliseconds since the epoch."),
});

/** A page of entries, the newest first. */
export const statementSchema = pageSchema(ledgerEntrySchema);

/** Entries are numbered without a gap and in the order they were kept, so none can slip in behind a cursor. */
const position = z.object({ seq: z.string().regex(/^[1-9]\d{0,17}$/) });

/** What callers may know of an entry. */
export function describeEntry(entry: LedgerEntry): z.output<typeof ledgerEntrySchema> {
  return {
    id: String(entry.seq),
    kind: entry.kind,
    amount_usd: toUsd(entry.amount_micro_usd),
    balance_after_usd: toUsd(entry.balance_after_micro_usd),
    meta: entry.meta,
    created_at: entry.created_at.getTime(),
  };
}

/** The balance of an account, micro-dollars; 0 for one that nobody has opened yet. @throws StoreError */
export async function balanceOf(db: Kysely<Tables>, account: string): Promise<bigint> {
  const found = await db
    .selectFrom("ledger_accounts")
    .select("balance_micro_usd")
    .where("account", "=", account)
    .executeTakeFirst();
  return found?.balance_micro_usd ?? 0n;
}

/** A page of an account's entries, the newest first. @throws ZodError for a cursor of something else; StoreError */
export async function listEntries(
  db: Kysely<Tables>,
  account: string,
  o: { limit: number; cursor?: string | undefined },
): Promise<z.output<typeof statementSchema>> {
  const before = decodeCursor(position, o.cursor);
  let query = db.selectFrom("ledger_entries").selectAll().where("account", "=", account);
  if (before !== undefined) query = query.where("seq", "<", BigInt(before.seq));
  const rows = await query
    .orderBy("seq", "desc")
    .limit(o.limit + 1)
    .execute();
  return pageOf(rows, o.limit, { item: describeEntry, position: ({ seq }) => ({ seq: String(seq) }) });
}
