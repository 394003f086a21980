import * as z from "zod";
import { describeUser, userSchema } from "../access/describe.ts";
import { setUserAccess } from "../access/user-access.ts";
import { changeBy } from "../audit/audit.ts";
import type { ApiContext } from "../context.ts";
import { tenantOf } from "../control/user.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";

const params = z.object({
  id: z
    .string()
    .regex(/^[\x21-\x7e]{1,262}$/, "expected visible ASCII characters")
    .describe("`human:<id>`, `agent:<id>`, or a bare id, which is a human's."),
});

/** `PUT /api/admin/users/:id/access {enabled}`: lets somebody in, or shuts them out with all their agents. */
export function setUserAccessRoute({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "PUT",
    path: "/api/admin/users/:id/access",
    operation: "setUserAccess",
    tag: "admin",
    summary: "Lets somebody in, or shuts them out with all their agents, whatever else would let them in.",
    access: "admin",
    scope: "admin",
    params,
    body: z.strictObject({ enabled: z.boolean() }),
    result: userSchema,
    errors: ["user_not_found", "own_access", "conflict"],
    async answer(call, { params: { id }, body: { enabled } }) {
      return describeUser(await setUserAccess(store.db, { tenant: tenantOf(id), enabled }, changeBy(call)));
    },
  });
}
