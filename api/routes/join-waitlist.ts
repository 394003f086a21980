import * as z from "zod";
import { joinWaitlist } from "../access/waitlist.ts";
import { emailSchema } from "../auth/email.ts";
import type { ApiContext } from "../context.ts";
import { type PublicRoute, publicRoute } from "../http/route.ts";

const body = z.strictObject({
  email: emailSchema,
  source: z
    .string()
    .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/i, "expected 1 to 64 of A-Z, a-z, 0-9, _ and -")
    .default("hatchery")
    .describe("Where the address was given."),
});

/** `POST /api/waitlist {email, source?}`: asks to be let in. The answer is the same whoever asks, and however often. */
export function joinWaitlistRoute({ store }: ApiContext): PublicRoute {
  return publicRoute({
    method: "POST",
    path: "/api/waitlist",
    operation: "joinWaitlist",
    tag: "access",
    summary: "Asks for an address to be let in; the answer does not tell whether it was there before, or is approved.",
    limitedByAddress: true,
    body,
    result: z.strictObject({ joined: z.literal(true) }),
    errors: ["rate_limited", "store_unavailable"],
    async answer(_call, { body: { email, source } }) {
      await joinWaitlist(store.db, email, source);
      return { joined: true };
    },
  });
}
