import { sql, type Transaction } from "kysely";
import { chainHash, chainTime, GENESIS } from "../store/hash-chain.ts";
import { PAGE_ROWS, walk } from "../store/snapshot.ts";
import type { Tables } from "../store/tables.ts";

/** What became of the audit log's check. */
export interface AuditReport {
  readonly events: number;
  /** The newest event; kept somewhere else, it proves later that nothing up to it was written anew. */
  readonly head: { readonly seq: string; readonly hash: string };
  /** The first event that is not as it was; null = all are. */
  readonly broken: { readonly seq: string; readonly fault: string } | null;
}

/**
 * Computes the audit log's hashes anew and compares the last one with the head.
 * @throws StoreError, and the signal's reason when that aborts.
 */
export async function verifyAudit(trx: Transaction<Tables>, signal: AbortSignal): Promise<AuditReport> {
  let events = 0;
  let last: { seq: bigint; hash: Buffer } = { seq: 0n, hash: GENESIS };
  let broken: AuditReport["broken"] = null;
  for await (const row of walk((after: AuditRow | undefined) => readPage(trx, after?.seq ?? 0n), signal)) {
    events += 1;
    if (broken) continue;
    const fault = faultOf(row, last);
    if (fault) broken = { seq: String(last.seq + 1n), fault };
    last = row;
  }
  const head = await trx.selectFrom("audit_head").select(["seq", "hash"]).executeTakeFirst();
  if (!broken && !(head?.seq === last.seq && head.hash.equals(last.hash))) {
    broken = {
      seq: String(last.seq + 1n),
      fault: `the head is at ${head?.seq ?? "none"}, the last event is ${last.seq}`,
    };
  }
  return { events, head: { seq: String(last.seq), hash: last.hash.toString("hex") }, broken };
}

type AuditRow = Awaited<ReturnType<typeof readPage>>[number];

function readPage(trx: Transaction<Tables>, after: bigint) {
  return trx
    .selectFrom("audit_events")
    .select(["seq", "actor", "scheme", "action", "object", "outcome", "request_id", "prev_hash", "hash"])
    .select([chainTime("at").as("time"), sql<string>`detail::text`.as("detail")])
    .where("seq", ">", after)
    .orderBy("seq")
    .limit(PAGE_ROWS)
    .execute();
}

function faultOf(row: AuditRow, last: { seq: bigint; hash: Buffer }): string | undefined {
  if (row.seq !== last.seq + 1n) return `is missing: the next one is ${row.seq}`;
  if (!row.prev_hash.equals(last.hash)) return "does not follow the one before";
  const { seq, time, actor, scheme, action, object, outcome, request_id, detail } = row;
  const fields = [seq, time, actor, scheme, action, object, outcome, request_id, { jsonb: detail }];
  return row.hash.equals(chainHash(last.hash, fields)) ? undefined : "was changed: it has another hash";
}
