import * as z from "zod";
import type { Tenant } from "#crds/index.ts";

/** A user as callers of the internal listener name them: a bare id is a human's; `human:<id>` and `agent:<id>` say which. */
export const userId = z
  .string({ error: "user_id required" })
  .regex(/^[\x21-\x7e]{1,256}$/, "expected 1 to 256 visible ASCII characters")
  .describe("Id of a user; `agent:<id>` of an agent.");

/** A {@link userId} that is a human's. */
export const humanId = userId.refine((id) => tenantOf(id).kind === "Human", "expected a human, not an agent");

/** Whom a {@link userId} names. */
export function tenantOf(id: string): Tenant {
  const [, kind, subject] = /^(human|agent):(.+)$/.exec(id) ?? [];
  return { kind: kind === "agent" ? "Agent" : "Human", subject: subject ?? id };
}
