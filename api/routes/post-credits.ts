import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import { changeBy } from "../audit/audit.ts";
import type { ApiContext } from "../context.ts";
import { tenantOf } from "../control/user.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { grantCredits } from "../ledger/grant.ts";
import { amountUsd } from "../ledger/money.ts";
import { describeEntry, ledgerEntrySchema } from "../ledger/statement.ts";
import { isStorableJson } from "../store/storable.ts";

const MAX_META_BYTES = 4096;

const body = z.strictObject({
  user_id: z
    .string()
    .regex(/^((human|agent):)?[\x21-\x7e]{1,256}$/, "expected 1 to 256 visible ASCII characters")
    .describe("`human:<id>`, `agent:<id>`, or a bare id, which is a human's."),
  amount_usd: amountUsd.describe(
    "US dollars, a number or a decimal string with at most six decimals; below 0 takes back.",
  ),
  idempotency_key: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, "expected 1 to 200 visible ASCII characters")
    .describe("The same for every try of one grant: it is made once. Of all users together."),
  meta: z
    .record(z.string(), z.unknown())
    .refine((meta) => Buffer.byteLength(JSON.stringify(meta)) <= MAX_META_BYTES, "is longer than 4096 bytes of JSON")
    .refine(isStorableJson, "holds a zero character or half a surrogate pair")
    .default({})
    .describe("What it is for, at most 4096 bytes of JSON; the user gets to read it."),
});

const result = z.strictObject({
  created: z.boolean().describe("False = an earlier call with this key made the entry."),
  tenant_id: z.string().describe("`human:<id>` or `agent:<id>`."),
  entry: ledgerEntrySchema,
});

/** `POST /api/admin/credits`: gives credits to a user, or takes some back. */
export function postCredits({ store }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/admin/credits",
    operation: "grantCredits",
    tag: "admin",
    summary:
      "Gives credits to a user, who need not have called yet, or takes some back; once for each idempotency key.",
    access: "admin",
    scope: "admin",
    body,
    result,
    errors: ["idempotency_conflict", "balance_out_of_range"],
    async answer(call, { body: { user_id, amount_usd, idempotency_key, meta } }) {
      const account = tenantKey(tenantOf(user_id));
      const grant = { account, amountMicroUsd: amount_usd, key: idempotency_key, meta };
      const { created, entry } = await grantCredits(store.db, grant, changeBy(call));
      return { created, tenant_id: account, entry: describeEntry(entry) };
    },
  });
}
