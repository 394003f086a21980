import type { Kysely, Transaction } from "kysely";

/** Rows read at a time by those who walk a whole table. */
export const PAGE_ROWS = 500;

/** Reads in a state of the database that stands still, whatever is written meanwhile. */
export async function readSnapshot<D, T>(db: Kysely<D>, read: (trx: Transaction<D>) => Promise<T>): Promise<T> {
  return db.transaction().setIsolationLevel("repeatable read").setAccessMode("read only").execute(read);
}

/**
 * All rows that `next` finds, page by page: it is given the last row it found, and answers the up to {@link PAGE_ROWS} ones behind.
 * @throws what `next` throws, and the signal's reason when that aborts.
 */
export async function* walk<R>(next: (last: R | undefined) => Promise<R[]>, signal: AbortSignal): AsyncGenerator<R> {
  let last: R | undefined;
  for (;;) {
    signal.throwIfAborted();
    const rows = await next(last);
    yield* rows;
    if (rows.length < PAGE_ROWS) return;
    last = rows.at(-1);
  }
}
