import { sql, type Transaction } from "kysely";
import { PAGE_ROWS, walk } from "../store/snapshot.ts";
import type { Tables } from "../store/tables.ts";

/** Grants that a report names at most; all are counted. */
const MAX_NAMED = 1000;

/** What became of the comparison of audit log and ledger. */
export interface GrantsReport {
  /** Grants that the audit log tells of. */
  readonly grants: number;
  readonly brokenGrants: number;
  /** The first 1,000 whose entry is not the one that was audited, by the number of their audit event. */
  readonly broken: readonly { readonly event: string; readonly account: string; readonly fault: string }[];
}

/**
 * Looks for the entry of each grant in the audit log: who writes an account anew, with all its hashes, has to do the same to the
 * log of everything else.
 * @throws StoreError, and the signal's reason when that aborts.
 */
export async function verifyGrants(trx: Transaction<Tables>, signal: AbortSignal): Promise<GrantsReport> {
  const report = { grants: 0, brokenGrants: 0, broken: [] as GrantsReport["broken"][number][] };
  for await (const grant of walk((last: GrantRow | undefined) => readPage(trx, last?.event ?? 0n), signal)) {
    report.grants += 1;
    if (grant.hash?.toString("hex") === grant.audited) continue;
    report.brokenGrants += 1;
    if (report.broken.length >= MAX_NAMED) continue;
    const fault = grant.hash ? `entry ${grant.entry} is another one` : `entry ${grant.entry} is missing`;
    report.broken.push({ event: String(grant.event), account: grant.account, fault });
  }
  return report;
}

type GrantRow = Awaited<ReturnType<typeof readPage>>[number];

function readPage(trx: Transaction<Tables>, after: bigint) {
  // A detail that was tampered with may hold anything.
  const seq = sql<bigint>`case when a.detail->>'entry' ~ '^[0-9]{1,18}$' then (a.detail->>'entry')::bigint end`;
  return trx
    .selectFrom("audit_events as a")
    .leftJoin("ledger_entries as e", (join) => join.onRef("e.account", "=", "a.object").on("e.seq", "=", seq))
    .select(["a.seq as event", "a.object as account", "e.hash"])
    .select([sql<string>`a.detail->>'entry'`.as("entry"), sql<string>`a.detail->>'hash'`.as("audited")])
    .where("a.action", "=", "credits.grant")
    .where("a.seq", ">", after)
    .orderBy("a.seq")
    .limit(PAGE_ROWS)
    .execute();
}
