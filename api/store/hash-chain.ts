import { createHash } from "node:crypto";
import { type RawBuilder, sql } from "kysely";

/** What the first row of a chain follows. */
export const GENESIS = Buffer.alloc(32);

/** A value of a row as it is hashed: a text, a number, or the text of a jsonb value as Postgres writes it. */
export type ChainField = string | bigint | { readonly jsonb: string };

/**
 * The hash of a row: SHA-256 of the hash before it and the row's values, in the text that Postgres gives a jsonb array. The
 * triggers of the chained tables compute the same.
 */
export function chainHash(previous: Buffer, fields: readonly ChainField[]): Buffer {
  const text = `[${fields.map(textOf).join(", ")}]`;
  return createHash("sha256").update(previous).update(text, "utf8").digest();
}

function textOf(field: ChainField): string {
  if (typeof field === "bigint") return String(field);
  return typeof field === "string" ? JSON.stringify(field) : field.jsonb;
}

/** A moment as it is hashed, to the microsecond: a Date would lose half of it. */
export function chainTime(column: string): RawBuilder<string> {
  return sql<string>`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}
