import * as z from "zod";
import { describeEntry, waitlistEntrySchema } from "../access/describe.ts";
import { setWaitlistApproval } from "../access/waitlist.ts";
import { changeBy } from "../audit/audit.ts";
import { emailSchema } from "../auth/email.ts";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";

/** `PUT /api/admin/waitlist/:email {approved}`: lets in whoever proves to have the address, whether they asked or not. */
export function setWaitlistApprovalRoute({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "PUT",
    path: "/api/admin/waitlist/:email",
    operation: "setWaitlistApproval",
    tag: "admin",
    summary: "Approves an address, be it one that never asked, or takes the approval back.",
    access: "admin",
    scope: "admin",
    params: z.object({ email: emailSchema }),
    body: z.strictObject({ approved: z.boolean() }),
    result: waitlistEntrySchema,
    errors: ["waitlist_entry_not_found", "conflict"],
    async answer(call, { params: { email }, body: { approved } }) {
      return describeEntry(await setWaitlistApproval(store.db, { email, approved }, changeBy(call)));
    },
  });
}
