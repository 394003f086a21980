import * as z from "zod";
import { requireLastingAccess } from "../access/gate.ts";
import { changeBy } from "../audit/audit.ts";
import { SCOPES } from "../auth/scopes.ts";
import type { ApiContext } from "../context.ts";
import { expirySchema, givenNameSchema } from "../credentials/describe.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { describeToken, tokenSchema } from "../tokens/describe.ts";
import { createToken } from "../tokens/tokens.ts";

const body = z.strictObject({
  name: givenNameSchema,
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .max(SCOPES.length)
    .optional()
    .describe("Absent = all that the caller has but `admin`."),
  expires_at: expirySchema,
});

/** `POST /api/tokens {name, scopes?, expires_at?}`: makes a token that acts for the caller; the answer alone has it. */
export function createTokenRoute({ store, keyRing, clock, access }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/tokens",
    operation: "createToken",
    tag: "account",
    summary:
      "Makes an API token, with no scope that the caller lacks; the token is in this answer and never told again.",
    access: "tenant",
    scope: "openclaw:write",
    humansOnly: true,
    body,
    result: tokenSchema.extend({ token: z.string() }),
    errors: ["admin_required", "too_many_tokens", "conflict"],
    async answer(call, { body: { name, scopes, expires_at: expiresAt } }) {
      const { isAdmin } = await requireLastingAccess(access, call.identity);
      const asked = { name, scopes, expiresAt, mayBeAdmin: isAdmin, now: clock.now() };
      const made = await createToken(store.db, keyRing, call.identity, asked, changeBy(call));
      return { ...describeToken(made.credential), token: made.secret };
    },
  });
}
