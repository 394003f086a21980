import * as z from "zod";
import { describeUser, userSchema } from "../access/describe.ts";
import { listUsers } from "../access/user-access.ts";
import type { ApiContext } from "../context.ts";
import { decodeCursor, pageOf, pageQuery, pageSchema } from "../http/page.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { positionSchema } from "../store/position.ts";

/** `GET /api/admin/users`: everybody who was ever seen, newest first. */
export function listUsersRoute({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/admin/users",
    operation: "listUsers",
    tag: "admin",
    summary: "Everybody who was ever seen, agents too, newest first.",
    access: "admin",
    scope: "admin",
    query: z.object(pageQuery),
    result: pageSchema(userSchema),
    errors: [],
    async answer(_call, { query: { limit, cursor } }) {
      const rows = await listUsers(store.db, { limit, after: decodeCursor(positionSchema, cursor) });
      const position = (row: (typeof rows)[number]) => ({ at: Number(row.at), key: row.tenant_key });
      return pageOf(rows, limit, { item: describeUser, position });
    },
  });
}
