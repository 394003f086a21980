import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { pageQuery } from "../http/page.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { listEntries, statementSchema } from "../ledger/statement.ts";

const query = z.object(pageQuery);

/** `GET /api/openclaw/billing/ledger`: what the caller was given and used, the newest first. */
export function listLedgerEntries({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/openclaw/billing/ledger",
    operation: "listLedgerEntries",
    tag: "billing",
    summary: "What the caller was given and used, the newest first.",
    access: "tenant",
    scope: "openclaw:read",
    query,
    result: statementSchema,
    errors: [],
    answer: ({ tenant }, input) => listEntries(store.db, tenantKey(tenant), input.query),
  });
}
