import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { decodeCursor, pageOf, pageQuery, pageSchema } from "../http/page.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { instancePositionSchema, positionOf } from "../instances/position.ts";
import { instanceSummarySchema, summarize } from "../instances/summary.ts";
import { READ_ERRORS } from "./schemas.ts";

const item = instanceSummarySchema.extend({
  name: z.string().describe("Of the OpenClawInstance."),
  tenant_id: z.string().describe("Whose it is, `human:<id>` or `agent:<id>`."),
  class_name: z.string(),
});

/** `GET /api/admin/instances`: everybody's OpenClaw, newest first. */
export function listAllInstances({ instances }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/admin/instances",
    operation: "listAllInstances",
    tag: "admin",
    summary: "Everybody's OpenClaw, newest first.",
    access: "admin",
    scope: "admin",
    query: z.object(pageQuery),
    result: pageSchema(item),
    errors: READ_ERRORS,
    async answer(_call, { query: { limit, cursor } }) {
      const after = decodeCursor(instancePositionSchema, cursor);
      const found = await instances.list({ after, limit: limit + 1 });
      return pageOf(found, limit, {
        item: (instance) => ({
          ...summarize(instance),
          name: instance.metadata.name,
          tenant_id: tenantKey(instance.spec.owner),
          class_name: instance.spec.className,
        }),
        position: positionOf,
      });
    },
  });
}
