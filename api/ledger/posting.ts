import { type Selectable, sql, type Transaction } from "kysely";
import { ApiError } from "../errors.ts";
import { StoreError } from "../store/store-error.ts";
import type { LedgerEntriesTable, Tables } from "../store/tables.ts";

/** An entry that was made. */
export type LedgerEntry = Selectable<LedgerEntriesTable>;

/** An entry to be made. */
export interface NewEntry {
  /** Tenant key of the account; the first entry opens it. */
  readonly account: string;
  /** Grants are above 0, burns below. */
  readonly kind: LedgerEntry["kind"];
  readonly amountMicroUsd: bigint;
  /** Of all entries together: begins with the name of the part that makes it up, such as `admin:`. */
  readonly idempotencyKey: string;
  /** The owner of the account gets to read it. */
  readonly meta: Readonly<Record<string, unknown>>;
  /** A tenant key, or the name of a service. */
  readonly createdBy: string;
  readonly requestId: string;
}

/** What became of it. */
export interface Posting {
  /** The entry with that key, of this call or an earlier one. */
  readonly entry: LedgerEntry;
  /** False = it was there already; nothing was changed. */
  readonly created: boolean;
}

/**
 * Adds an entry to its account and its amount to the balance, once for each idempotency key however often it is called. Until the
 * transaction ends, others wait who add to the same account; one that adds to several takes them in the order of their names.
 * @throws ApiError 409 when the key was used for something else, or the balance would pass its bounds; StoreError
 */
export async function postEntry(trx: Transaction<Tables>, entry: NewEntry): Promise<Posting> {
  const meta = JSON.stringify(entry.meta);
  const made = await trx
    .insertInto("ledger_entries")
    .values({
      account: entry.account,
      kind: entry.kind,
      amount_micro_usd: entry.amountMicroUsd,
      idempotency_key: entry.idempotencyKey,
      meta,
      created_by: entry.createdBy,
      request_id: entry.requestId,
    })
    .onConflict((conflict) => conflict.column("idempotency_key").doNothing())
    .returningAll()
    .executeTakeFirst()
    .catch((error: unknown) => {
      throw explain(error);
    });
  if (made) return { entry: made, created: true };
  const { sameMeta, ...first } = await trx
    .selectFrom("ledger_entries")
    .selectAll()
    .select(sql<boolean>`meta = ${meta}::jsonb`.as("sameMeta"))
    .where("idempotency_key", "=", entry.idempotencyKey)
    .executeTakeFirstOrThrow();
  const same =
    first.account === entry.account &&
    first.kind === entry.kind &&
    first.amount_micro_usd === entry.amountMicroUsd &&
    sameMeta;
  if (same) return { entry: first, created: false };
  throw new ApiError("idempotency_conflict", "idempotency_key: was used for an entry with other content");
}

/** Refusals of Postgres that only it can find. */
function explain(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error;
  if (error.constraint === "ledger_entries_balance_bounded") {
    return new ApiError("balance_out_of_range", "the balance would reach a billion US dollars", { cause: error });
  }
  if (error.constraint === "ledger_entries_meta_bounded") {
    return new ApiError("invalid_request", "meta: is too large", { step: "validate", cause: error });
  }
  return error;
}
