import * as z from "zod";
import { describeOwnEntry, ownEntrySchema } from "../access/describe.ts";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";

const result = z.strictObject({
  allowed: z.boolean(),
  reason: z.enum(["no_access"]).optional().describe("Why not; absent when allowed."),
  userAccess: z.boolean().nullable().describe("What an admin decided; null = none did, false = shut out."),
  waitlistApproved: z.boolean(),
  user: z.strictObject({ user_id: z.string(), email: z.string().nullable() }),
  waitlistEntry: ownEntrySchema.nullable().describe("Of the address that was vouched for last."),
  isAdmin: z.boolean(),
});

/** `GET /api/access`: whether the caller is let in, and why; the one question that nobody with a credential is refused. */
export function getAccess({ access }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/access",
    operation: "getAccess",
    tag: "access",
    summary: "Whether the caller is let in, and why.",
    access: "signed-in",
    scope: null,
    result,
    errors: [],
    async answer({ identity, tenant }): Promise<z.output<typeof result>> {
      const { allowed, userAccess, email, waitlistEntry, isAdmin } = await access.explain(identity);
      return {
        allowed,
        ...(allowed ? {} : { reason: "no_access" as const }),
        userAccess,
        waitlistApproved: waitlistEntry?.approved ?? false,
        user: { user_id: tenant.subject, email },
        waitlistEntry: waitlistEntry && describeOwnEntry(waitlistEntry),
        isAdmin,
      };
    },
  });
}
