import * as z from "zod";
import { decide } from "../approvals/approvals.ts";
import { actorOf } from "../audit/audit.ts";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";

const decision = z.enum(["approved", "rejected"]);

/** `POST /api/approvals {approvalId, decision}`: a human's word on what one of their agents asked. */
export function decideApproval({ store, clock }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/approvals",
    operation: "decideApproval",
    tag: "approvals",
    summary: "Approves or rejects what one of the caller's agents asked; for humans only.",
    access: "tenant",
    scope: "openclaw:write",
    humansOnly: true,
    body: z.strictObject({ approvalId: z.uuid(), decision }),
    result: z.strictObject({ approvalId: z.string(), decision }),
    errors: ["approval_not_found", "approval_decided", "approval_expired"],
    async answer({ identity, isAdmin, requestId }, { body: { approvalId, decision } }) {
      const asked = { id: approvalId, decision, decider: identity.tenant, isAdmin };
      await decide(store.db, asked, { now: clock.now(), requestId, by: actorOf(identity) });
      return { approvalId, decision };
    },
  });
}
