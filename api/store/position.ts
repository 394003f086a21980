import { type RawBuilder, sql } from "kysely";
import * as z from "zod";

/**
 * Where a page of a list ends that is sorted newest first: the time of its last row, in microseconds since the epoch as Postgres
 * counts them, and that row's key. A `Date` would round the time, and rows be left out or come twice.
 */
export const positionSchema = z.strictObject({
  at: z.int().min(0),
  key: z
    .string()
    .min(1)
    .max(600)
    .regex(/^\P{Cc}*$/u),
});

/** What {@link positionSchema} describes. */
export type Position = z.output<typeof positionSchema>;

/** A column's time as a position has it. */
export function microseconds(column: string): RawBuilder<bigint> {
  return sql<bigint>`(extract(epoch from ${sql.ref(column)}) * 1000000)::bigint`;
}

/** True for rows that come after the position, newest first; for all without one. */
export function comesAfter(
  position: Position | undefined,
  columns: { time: string; key: string },
): RawBuilder<boolean> {
  if (!position) return sql<boolean>`true`;
  const time = sql`timestamptz 'epoch' + ${position.at}::float8 * interval '1 microsecond'`;
  return sql<boolean>`(${sql.ref(columns.time)}, ${sql.ref(columns.key)}) < (${time}, ${position.key})`;
}
