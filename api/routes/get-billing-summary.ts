import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { toUsd } from "../ledger/money.ts";
import { balanceOf } from "../ledger/statement.ts";

const result = z.strictObject({
  user_id: z.string().describe("Of an agent, its own id: it has an account of its own."),
  balance_usd: z.number().describe("US dollars, exact to six decimals; may be below 0."),
  balance_micro_usd: z.string().describe("The same in millionths of a dollar, a whole number."),
});

/** `GET /api/openclaw/billing/summary`: the caller's credits. */
export function getBillingSummary({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/openclaw/billing/summary",
    operation: "getBillingSummary",
    tag: "billing",
    summary: "The caller's credits.",
    access: "tenant",
    scope: "openclaw:read",
    result,
    errors: [],
    async answer({ tenant }) {
      const balance = await balanceOf(store.db, tenantKey(tenant));
      return { user_id: tenant.subject, balance_usd: toUsd(balance), balance_micro_usd: String(balance) };
    },
  });
}
