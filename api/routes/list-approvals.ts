import * as z from "zod";
import { APPROVAL_STATES, approvalSchema, describeApproval, listApprovals } from "../approvals/record.ts";
import type { ApiContext } from "../context.ts";
import { decodeCursor, pageOf, pageQuery, pageSchema } from "../http/page.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";

/** Approvals are dated by our own clock, to the millisecond. */
const position = z.object({ at: z.int().min(0).max(253_402_300_799_999), id: z.uuid() });

/** `GET /api/approvals?status=`: what agents asked, newest first: an agent sees its own, a human those of their agents. */
export function listApprovalsRoute({ store, clock }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/approvals",
    operation: "listApprovals",
    tag: "approvals",
    summary: "What agents asked to be allowed, newest first.",
    access: "tenant",
    scope: "openclaw:read",
    query: z.object({ status: z.enum(APPROVAL_STATES).optional(), ...pageQuery }),
    result: pageSchema(approvalSchema),
    errors: [],
    async answer({ tenant, isAdmin }, { query: { status, limit, cursor } }) {
      const now = clock.now();
      const after = decodeCursor(position, cursor);
      const rows = await listApprovals(store.db, { viewer: tenant, isAdmin, status, now, limit, after });
      return pageOf(rows, limit, {
        item: (row) => describeApproval(row, now),
        position: (row) => ({ at: row.created_at.getTime(), id: row.id }),
      });
    },
  });
}
