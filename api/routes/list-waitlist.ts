import * as z from "zod";
import { describeEntry, waitlistEntrySchema } from "../access/describe.ts";
import { listWaitlist } from "../access/waitlist.ts";
import type { ApiContext } from "../context.ts";
import { decodeCursor, pageOf, pageQuery, pageSchema } from "../http/page.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { positionSchema } from "../store/position.ts";

/** `GET /api/admin/waitlist`: who asked to be let in, newest first. */
export function listWaitlistRoute({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/admin/waitlist",
    operation: "listWaitlist",
    tag: "admin",
    summary: "Addresses that asked to be let in, or were invited, newest first.",
    access: "admin",
    scope: "admin",
    query: z.object(pageQuery),
    result: pageSchema(waitlistEntrySchema),
    errors: [],
    async answer(_call, { query: { limit, cursor } }) {
      const rows = await listWaitlist(store.db, { limit, after: decodeCursor(positionSchema, cursor) });
      const position = (row: (typeof rows)[number]) => ({ at: Number(row.at), key: row.email });
      return pageOf(rows, limit, { item: describeEntry, position });
    },
  });
}
