import { createHash } from "node:crypto";
import { type Kysely, type Selectable, sql, type Transaction } from "kysely";
import * as z from "zod";
import { type Tenant, tenantKey } from "#crds/index.ts";
import { canonicalJson } from "#lib/kube/canonical-json.ts";
import { type Actor, appendAudit } from "../audit/audit.ts";
import { ApiError } from "../errors.ts";
import type { ApprovalsTable, Tables } from "../store/tables.ts";

/** How long an approval is good for, from the first call on. */
export const APPROVAL_TTL_MS = 15 * 60_000;
/** Questions that may be open at a time for one agent: a person reads them. */
const MAX_OPEN = 20;

/** A gated call as it was made. */
export interface GatedCall {
  readonly tenant: Tenant;
  /** The human who may decide; absent for an agent that nobody owns. */
  readonly owner: Tenant | undefined;
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly summary: string;
  /** Given when the call is repeated. */
  readonly approvalId: string | undefined;
}

/** What an agent is told whose call waits for a human. */
export const pendingApprovalSchema = z.strictObject({
  status: z.enum(["approval_required", "approval_pending"]),
  approvalId: z.uuid(),
  summary: z.string(),
  toolName: z.string(),
  toolInput: z.record(z.string(), z.unknown()),
});

/** What {@link pendingApprovalSchema} describes. */
export type PendingApproval = Readonly<z.output<typeof pendingApprovalSchema>>;

/** What the functions here need to know of the moment. */
export interface Moment {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly newId: () => string;
  readonly requestId: string;
  readonly by: Actor;
}

/** An approval is bound to this: the SHA-256 of the input, whatever the order of its keys. */
export function hashInput(input: Readonly<Record<string, unknown>>): Buffer {
  return createHash("sha256").update(canonicalJson(input)).digest();
}

/**
 * Lets a gated call of an agent run, once, if a human approved it; answers undefined then, and what it waits for otherwise.
 * @throws ApiError 403, 404, 409, 410 for an approval that is no good; 429 when too many are open. StoreError.
 */
export function admit(db: Kysely<Tables>, call: GatedCall, moment: Moment): Promise<PendingApproval | undefined> {
  return db.transaction().execute(async (trx) => {
    // Calls of one agent one after the other: the same question is asked once, and an approval used once.
    await sql`select pg_advisory_xact_lock(hashtextextended(${`approvals ${tenantKey(call.tenant)}`}, 0))`.execute(trx);
    return call.approvalId === undefined ? ask(trx, call, moment) : use(trx, call, call.approvalId, moment);
  });
}

async function ask(trx: Transaction<Tables>, call: GatedCall, { now, newId }: Moment): Promise<PendingApproval> {
  const open = await trx
    .selectFrom("approvals")
    .selectAll()
    .where("tenant_key", "=", tenantKey(call.tenant))
    .where("used_at", "is", null)
    .where("expires_at", ">", new Date(now))
    .where((where) => where.or([where("decision", "is", null), where("decision", "=", "approved")]))
    .execute();
  const hash = hashInput(call.input);
  const same = open.find((row) => row.tool === call.tool && row.input_hash.equals(hash));
  if (same) return describe(same, same.decision === null ? "approval_pending" : "approval_required");
  if (open.length >= MAX_OPEN) {
    throw new ApiError("too_many_approvals", `${open.length} approvals are open already: have them decided first`, {
      step: "approval",
      retryAfterSeconds: 60,
    });
  }
  const row = await trx
    .insertInto("approvals")
    .values({
      id: newId(),
      tenant_key: tenantKey(call.tenant),
      owner_key: call.owner ? tenantKey(call.owner) : null,
      tool: call.tool,
      input: JSON.stringify(call.input),
      input_hash: hash,
      summary: call.summary.slice(0, 1000),
      created_at: new Date(now),
      expires_at: new Date(now + APPROVAL_TTL_MS),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return describe(row, "approval_required");
}

async function use(
  trx: Transaction<Tables>,
  call: GatedCall,
  id: string,
  { now, requestId, by }: Moment,
): Promise<PendingApproval | undefined> {
  const row = await trx
    .selectFrom("approvals")
    .selectAll()
    .where("id", "=", id)
    .where("tenant_key", "=", tenantKey(call.tenant))
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw approvalNotFound();
  if (row.tool !== call.tool || !row.input_hash.equals(hashInput(call.input))) {
    throw new ApiError("approval_mismatch", `the approval is for ${row.tool} with other input`, { step: "approval" });
  }
  if (row.used_at) throw new ApiError("approval_used", "the approval was used already", { step: "approval" });
  if (row.decision === "rejected")
    throw new ApiError("approval_rejected", "the call was rejected", { step: "approval" });
  refuseExpired(row, now);
  if (row.decision === null) return describe(row, "approval_pending");
  await trx
    .updateTable("approvals")
    .set({ used_at: new Date(now) })
    .where("id", "=", id)
    .execute();
  await appendAudit(trx, {
    by,
    action: "approval.use",
    object: `approval:${id}`,
    requestId,
    detail: { tool: row.tool },
  });
  return undefined;
}

/**
 * A human's word on an agent's call; the same word twice is said once. Answers the approval as it is then.
 * @throws ApiError 404 when there is none that `decider` may decide, 409 when it was decided otherwise, 410 when it is too late.
 */
export function decide(
  db: Kysely<Tables>,
  o: { id: string; decision: "approved" | "rejected"; decider: Tenant; isAdmin: boolean },
  { now, requestId, by }: Omit<Moment, "newId">,
): Promise<Selectable<ApprovalsTable>> {
  return db.transaction().execute(async (trx) => {
    const row = await trx.selectFrom("approvals").selectAll().where("id", "=", o.id).forUpdate().executeTakeFirst();
    // What nobody owns is the admins' to decide.
    const mayDecide = row && (row.owner_key === null ? o.isAdmin : row.owner_key === tenantKey(o.decider));
    if (!mayDecide) throw approvalNotFound();
    if (row.decision === o.decision) return row;
    if (row.decision !== null) {
      throw new ApiError("approval_decided", `it was ${row.decision} already`, { step: "approval" });
    }
    refuseExpired(row, now);
    const object = `approval:${row.id}`;
    const detail = { decision: o.decision, tool: row.tool, tenant: row.tenant_key };
    await appendAudit(trx, { by, action: "approval.decide", object, requestId, detail });
    return trx
      .updateTable("approvals")
      .set({ decision: o.decision, decided_at: new Date(now), decided_by: by.name })
      .where("id", "=", o.id)
      .returningAll()
      .executeTakeFirstOrThrow();
  });
}

function refuseExpired(row: Selectable<ApprovalsTable>, now: number): void {
  if (row.expires_at.getTime() > now) return;
  throw new ApiError("approval_expired", "the approval has expired: make the call again without approvalId", {
    step: "approval",
  });
}

function approvalNotFound(): ApiError {
  return new ApiError("approval_not_found", "approval not found", { step: "approval" });
}

function describe(row: Selectable<ApprovalsTable>, status: PendingApproval["status"]): PendingApproval {
  return { status, approvalId: row.id, summary: row.summary, toolName: row.tool, toolInput: row.input };
}
