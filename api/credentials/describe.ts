import * as z from "zod";
import { SCOPES } from "../auth/scopes.ts";
import type { Credential } from "./issue.ts";

const epochMs = z.int().nullable();

/** What tokens and keys have in common, as their owners see them; times are milliseconds since the epoch. */
export const credentialSchema = z.strictObject({
  id: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  created_at: z.int(),
  expires_at: epochMs.describe("null = it does not expire."),
  last_used_at: epochMs.describe("To the minute; null = never."),
  made_with: z.string().nullable().describe("The token it was made with, and ends with; null = none."),
});

/** A credential as its owner sees it. */
export function describeCredential(row: Credential): z.output<typeof credentialSchema> {
  return {
    id: row.id,
    scopes: SCOPES.filter((scope) => row.scopes.includes(scope)),
    created_at: row.created_at.getTime(),
    expires_at: row.expires_at?.getTime() ?? null,
    last_used_at: row.last_used_at?.getTime() ?? null,
    made_with: row.made_with,
  };
}

/** When a new credential ends, as its maker says. */
export const expirySchema = z
  .int()
  .min(0)
  .max(253_402_300_799_999)
  .optional()
  .describe("Milliseconds since the epoch; absent = with the credential it is made with, or not at all.");

const name = z
  .string()
  .trim()
  .max(100)
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, "has control characters");

/** A name that an owner gives to what is theirs, if any. */
export const nameSchema = name.meta({
  description: "Space around it does not count.",
  pattern: String.raw`^[^\u0000-\u001f\u007f-\u009f]*$`,
});

/** A name that has to be there. */
export const givenNameSchema = name.min(1).meta({
  description: "Space around it does not count.",
  pattern: String.raw`^[^\u0000-\u001f\u007f-\u009f]*[^\s\u0000-\u001f\u007f-\u009f][^\u0000-\u001f\u007f-\u009f]*$`,
});
