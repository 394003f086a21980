import { type Kysely, type Selectable, sql } from "kysely";
import * as z from "zod";
import { type Tenant, tenantKey } from "#crds/index.ts";
import type { ApprovalsTable, Tables } from "../store/tables.ts";

/** Where an approval stands. */
export const APPROVAL_STATES = ["pending", "approved", "rejected", "used", "expired"] as const;

/** An approval as callers see it; times in milliseconds since the epoch. */
export const approvalSchema = z.strictObject({
  approvalId: z.string(),
  status: z.enum(APPROVAL_STATES),
  summary: z.string(),
  toolName: z.string(),
  toolInput: z.record(z.string(), z.unknown()),
  tenant_id: z.string().describe("Whose call it is, e.g. `agent:<id>`."),
  created_at: z.int(),
  expires_at: z.int(),
  decided_at: z.int().nullable(),
  used_at: z.int().nullable(),
});

/** The approval at the moment `now` (milliseconds since the epoch). */
export function describeApproval(row: Selectable<ApprovalsTable>, now: number): z.output<typeof approvalSchema> {
  return {
    approvalId: row.id,
    status: stateOf(row, now),
    summary: row.summary,
    toolName: row.tool,
    toolInput: row.input,
    tenant_id: row.tenant_key,
    created_at: row.created_at.getTime(),
    expires_at: row.expires_at.getTime(),
    decided_at: row.decided_at?.getTime() ?? null,
    used_at: row.used_at?.getTime() ?? null,
  };
}

function stateOf(row: Selectable<ApprovalsTable>, now: number): (typeof APPROVAL_STATES)[number] {
  if (row.used_at) return "used";
  if (row.decision === "rejected") return "rejected";
  if (row.expires_at.getTime() <= now) return "expired";
  return row.decision ?? "pending";
}

/** Where a page ends: what comes after is older. */
export interface ApprovalPosition {
  readonly at: number;
  readonly id: string;
}

/**
 * Approvals that somebody may see, newest first: an agent its own, a human those of their agents, an admin those of agents that
 * nobody owns besides. One more than `limit`, if there are more. @throws StoreError
 */
export async function listApprovals(
  db: Kysely<Tables>,
  o: {
    viewer: Tenant;
    isAdmin: boolean;
    status: (typeof APPROVAL_STATES)[number] | undefined;
    now: number;
    limit: number;
    after: ApprovalPosition | undefined;
  },
): Promise<Selectable<ApprovalsTable>[]> {
  const now = new Date(o.now);
  let query = db
    .selectFrom("approvals")
    .selectAll()
    .where((where) =>
      where.or([
        where(o.viewer.kind === "Agent" ? "tenant_key" : "owner_key", "=", tenantKey(o.viewer)),
        ...(o.isAdmin ? [where("owner_key", "is", null)] : []),
      ]),
    );
  if (o.status === "used") query = query.where("used_at", "is not", null);
  else if (o.status === "rejected") query = query.where("decision", "=", "rejected");
  else if (o.status !== undefined) {
    query = query.where("used_at", "is", null).where(sql<boolean>`decision is distinct from 'rejected'`);
    query = query.where("expires_at", o.status === "expired" ? "<=" : ">", now);
    if (o.status === "pending") query = query.where("decision", "is", null);
    if (o.status === "approved") query = query.where("decision", "=", "approved");
  }
  if (o.after) {
    query = query.where(sql<boolean>`(created_at, id) < (${new Date(o.after.at)}::timestamptz, ${o.after.id}::uuid)`);
  }
  return query
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(o.limit + 1)
    .execute();
}
