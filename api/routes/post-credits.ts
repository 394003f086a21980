import * as z from "zod";
import { type Tenant, tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { grantCredits } from "../ledger/grant.ts";
import { amountUsd } from "../ledger/money.ts";
import { describeEntry, ledgerEntrySchema } from "../ledger/statement.ts";
import { isStorableJson } from "../store/storable.ts";

const MAX_META_BYTES = 4096;

const body = z.strictObject({
  user_id: z.string().regex(/^[\x21-\x7e]{1,256}$/, "expected 1 to 256 visible ASCII characters"),
  kind: z.enum(["human", "agent"]).default("human").describe("Whose id `user_id` is."),
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
  user_id: z.string(),
  kind: z.enum(["human", "agent"]),
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
    async answer({ identity, requestId }, { body: { user_id, kind, amount_usd, idempotency_key, meta } }) {
      const tenant: Tenant = { kind: kind === "agent" ? "Agent" : "Human", subject: user_id };
      const { created, entry } = await grantCredits(store.db, {
        account: tenantKey(tenant),
        amountMicroUsd: amount_usd,
        key: idempotency_key,
        meta,
        by: identity,
        requestId,
      });
      return { created, user_id, kind, entry: describeEntry(entry) };
    },
  });
}
