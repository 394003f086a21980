import * as z from "zod";
import { wholeNumberOr } from "./query.ts";

/** Query parameters of a list that comes in pages. */
export const pageQuery = {
  limit: wholeNumberOr(50, 1, 100).describe("Items of one page."),
  cursor: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z0-9_-]+$/, "is not a cursor")
    .optional()
    .describe("`next_cursor` of the page before."),
};

/** The schema of a page of items. */
export function pageSchema<T extends z.ZodType>(item: T) {
  return z.strictObject({
    items: z.array(item),
    next_cursor: z.string().nullable().describe("Where the next page begins; null at the end."),
  });
}

/** A position in a list as an opaque word. */
export function encodeCursor(position: object): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

/**
 * The position that a cursor of ours stands for.
 * @throws ZodError at `cursor` for what is none.
 */
export function decodeCursor<T extends z.ZodType>(schema: T, cursor: string | undefined): z.output<T> | undefined {
  if (cursor === undefined) return undefined;
  const decoded = schema.safeParse(parse(cursor));
  if (decoded.success) return decoded.data;
  throw new z.ZodError([{ code: "custom", path: ["cursor"], message: "is not a cursor of this list", input: cursor }]);
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}

/** A page of rows of which one more than `limit` was read, if there was one. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  o: { item: (row: Row) => Item; position: (row: Row) => object },
): { items: Item[]; next_cursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items: shown.map(o.item), next_cursor: more ? encodeCursor(o.position(last)) : null };
}
