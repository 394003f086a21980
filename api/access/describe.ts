import type { Selectable } from "kysely";
import * as z from "zod";
import type { UsersTable, WaitlistTable } from "../store/tables.ts";

const epochMs = z.int().nullable();

/** Somebody who was seen, as admins see them; times are milliseconds since the epoch. */
export const userSchema = z.strictObject({
  tenant_id: z.string().describe("`human:<id>` or `agent:<id>`."),
  user_id: z.string(),
  kind: z.enum(["human", "agent"]),
  email: z.string().nullable().describe("The address that was vouched for last."),
  name: z.string().nullable(),
  access_enabled: z.boolean().nullable().describe("null = no admin decided; false = shut out."),
  access_updated_at: epochMs,
  access_updated_by: z.string().nullable(),
  created_at: z.int(),
  updated_at: z.int(),
});

/** A user on record as admins see it. */
export function describeUser(row: Selectable<UsersTable>): z.output<typeof userSchema> {
  return {
    tenant_id: row.tenant_key,
    user_id: row.user_id,
    kind: row.kind,
    email: row.email,
    name: row.name,
    access_enabled: row.access_enabled,
    access_updated_at: row.access_updated_at?.getTime() ?? null,
    access_updated_by: row.access_updated_by,
    created_at: row.created_at.getTime(),
    updated_at: row.updated_at.getTime(),
  };
}

/** An address on the waitlist, as whoever it belongs to sees it. */
export const ownEntrySchema = z.strictObject({
  email: z.string(),
  source: z.string(),
  created_at: z.int(),
  approved: z.boolean(),
  approved_at: epochMs,
});

/** ... as admins see it. */
export const waitlistEntrySchema = ownEntrySchema.extend({ approved_by: z.string().nullable() });

/** An entry as whoever it belongs to sees it. */
export function describeOwnEntry(row: Selectable<WaitlistTable>): z.output<typeof ownEntrySchema> {
  return {
    email: row.email,
    source: row.source,
    created_at: row.created_at.getTime(),
    approved: row.approved,
    approved_at: row.approved_at?.getTime() ?? null,
  };
}

/** An entry as admins see it. */
export function describeEntry(row: Selectable<WaitlistTable>): z.output<typeof waitlistEntrySchema> {
  return { ...describeOwnEntry(row), approved_by: row.approved_by };
}
