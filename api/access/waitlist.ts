import { type Kysely, type Selectable, sql } from "kysely";
import { appendAudit, type Change } from "../audit/audit.ts";
import { ApiError } from "../errors.ts";
import { comesAfter, microseconds, type Position } from "../store/position.ts";
import type { Tables, WaitlistTable } from "../store/tables.ts";

/** Source of entries that an admin made. */
const BY_ADMIN = "admin";

/**
 * Puts an address on the list, or leaves the entry there is as it is. Either way one row is written: how long it takes does not tell
 * whether somebody was there before.
 * @throws StoreError
 */
export async function joinWaitlist(db: Kysely<Tables>, email: string, source: string): Promise<void> {
  await db
    .insertInto("waitlist")
    .values({ email, source })
    .onConflict((conflict) => conflict.column("email").doUpdateSet({ approved: sql<boolean>`waitlist.approved` }))
    .execute();
}

/**
 * Approves an address or takes the approval back; whoever approves one that never asked invites it. Answers the entry as it is then.
 * What is so already is left as it is, and not audited again.
 * @throws ApiError 404 when an approval is to be taken back that never was; StoreError.
 */
export function setWaitlistApproval(
  db: Kysely<Tables>,
  { email, approved }: { email: string; approved: boolean },
  { by, requestId }: Change,
): Promise<Selectable<WaitlistTable>> {
  return db.transaction().execute(async (trx) => {
    const decision = approved
      ? { approved, approved_at: sql<Date>`now()`, approved_by: by.name }
      : { approved, approved_at: null, approved_by: null };
    const changed = approved
      ? await trx
          .insertInto("waitlist")
          .values({ email, source: BY_ADMIN, ...decision })
          .onConflict((conflict) =>
            conflict.column("email").doUpdateSet(decision).where("waitlist.approved", "=", false),
          )
          .returningAll()
          .executeTakeFirst()
      : await trx
          .updateTable("waitlist")
          .set(decision)
          .where("email", "=", email)
          .where("approved", "=", true)
          .returningAll()
          .executeTakeFirst();
    if (changed) {
      const object = `waitlist:${email}`;
      await appendAudit(trx, { by, action: "waitlist.set", object, requestId, detail: { approved } });
      return changed;
    }
    const entry = await trx.selectFrom("waitlist").selectAll().where("email", "=", email).executeTakeFirst();
    if (!entry) throw new ApiError("waitlist_entry_not_found", "no such address on the waitlist", { step: "waitlist" });
    return entry;
  });
}

/** Entries, newest first: one more than `limit`, if there are more. @throws StoreError */
export function listWaitlist(
  db: Kysely<Tables>,
  { limit, after }: { limit: number; after: Position | undefined },
): Promise<(Selectable<WaitlistTable> & { at: bigint })[]> {
  return db
    .selectFrom("waitlist")
    .selectAll()
    .select(microseconds("created_at").as("at"))
    .where(comesAfter(after, { time: "created_at", key: "email" }))
    .orderBy("created_at", "desc")
    .orderBy("email", "desc")
    .limit(limit + 1)
    .execute();
}
