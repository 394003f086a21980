import type { Kysely } from "kysely";
import { appendAudit, type Change } from "../audit/audit.ts";
import type { Tables } from "../store/tables.ts";
import { type Posting, postEntry } from "./posting.ts";

/** Credits that an admin gives, or takes back. */
export interface Grant {
  /** Tenant key of the account. */
  readonly account: string;
  /** Below 0 = taken back. */
  readonly amountMicroUsd: bigint;
  /** The admins' own: no other part of the system meets it. */
  readonly key: string;
  readonly meta: Readonly<Record<string, unknown>>;
}

/**
 * Makes the entry of a grant and its audit event, both or neither, and both once for each key. The event holds the entry's hash:
 * an account that somebody wrote anew with all its hashes still differs from the audit log.
 * @throws ApiError 409 like `postEntry`; StoreError
 */
export function grantCredits(db: Kysely<Tables>, grant: Grant, { by, requestId }: Change): Promise<Posting> {
  return db.transaction().execute(async (trx) => {
    const posting = await postEntry(trx, {
      account: grant.account,
      kind: grant.amountMicroUsd > 0n ? "grant" : "adjustment",
      amountMicroUsd: grant.amountMicroUsd,
      idempotencyKey: `admin:${grant.key}`,
      meta: grant.meta,
      createdBy: by.name,
      requestId,
    });
    const { entry } = posting;
    if (!posting.created) return posting;
    // Last, as everybody else waits for the audit log from here to the end.
    await appendAudit(trx, {
      by,
      action: "credits.grant",
      object: grant.account,
      requestId,
      detail: {
        entry: String(entry.seq),
        amount_micro_usd: String(entry.amount_micro_usd),
        idempotency_key: entry.idempotency_key,
        hash: entry.hash.toString("hex"),
      },
    });
    return posting;
  });
}
