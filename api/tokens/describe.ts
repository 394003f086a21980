import * as z from "zod";
import { credentialSchema, describeCredential } from "../credentials/describe.ts";
import type { Credential } from "../credentials/issue.ts";

/** An API token as its owner sees it. */
export const tokenSchema = credentialSchema.extend({ name: z.string() });

/** A token as its owner sees it. */
export function describeToken(row: Credential): z.output<typeof tokenSchema> {
  return { ...describeCredential(row), name: row.name };
}
