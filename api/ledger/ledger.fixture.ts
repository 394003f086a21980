import type { Kysely } from "kysely";
import type { Tables } from "../store/tables.ts";
import { type NewEntry, type Posting, postEntry } from "./posting.ts";

/** An entry as tests write it: 1 dollar given to alice, by a key of its own. */
export function newEntry(o: Partial<NewEntry> = {}): NewEntry {
  return {
    account: "human:alice",
    kind: "grant",
    amountMicroUsd: 1_000_000n,
    idempotencyKey: `test:${crypto.randomUUID()}`,
    meta: {},
    createdBy: "human:root",
    requestId: "r-1",
    ...o,
  };
}

/** Adds an entry in a transaction of its own. */
export function post(db: Kysely<Tables>, o: Partial<NewEntry> = {}): Promise<Posting> {
  return db.transaction().execute((trx) => postEntry(trx, newEntry(o)));
}
