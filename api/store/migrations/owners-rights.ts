import { type Kysely, type RawBuilder, sql } from "kysely";

/**
 * Of functions that run with their owner's rights. They must find nothing by name that a caller could have put there: neither a
 * temporary table in place of ours, which by default comes first, nor a function that fits better than Postgres' own.
 */
export const OWNERS_RIGHTS: RawBuilder<unknown> = sql`security definer set search_path = pg_catalog, pg_temp`;

/** A table of ours by its full name, as such functions have to call it. */
export async function tableIn(db: Kysely<unknown>, table: string): Promise<RawBuilder<unknown>> {
  const { rows } = await sql<{ schema: string }>`select current_schema() as schema`.execute(db);
  return sql`${sql.id(rows[0]?.schema ?? "public", table)}`;
}
