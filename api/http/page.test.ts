import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { decodeCursor, encodeCursor, pageOf, pageQuery } from "./page.ts";

const position = z.object({ at: z.int() });

describe("a page", () => {
  it("leads to the next one until there is none, without a gap and without a repetition", () => {
    fc.assert(
      fc.property(fc.nat(50), fc.integer({ min: 1, max: 20 }), (count, limit) => {
        const all = Array.from({ length: count }, (_, index) => index);
        const seen: number[] = [];
        let cursor: string | undefined;
        do {
          const after = decodeCursor(position, cursor)?.at ?? -1;
          const found = all.filter((number) => number > after).slice(0, limit + 1);
          const page = pageOf(found, limit, { item: (row) => row, position: (at) => ({ at }) });
          expect(page.items.length).toBeLessThanOrEqual(limit);
          seen.push(...page.items);
          cursor = page.next_cursor ?? undefined;
        } while (cursor !== undefined);
        expect(seen).toEqual(all);
      }),
    );
  });

  it.each([
    "x",
    encodeCursor([]),
    encodeCursor({ id: 1 }),
    encodeCursor({ at: 1.5 }),
    Buffer.from("{").toString("base64url"),
  ])("is not asked for with the cursor %s", (cursor) => {
    expect(() => decodeCursor(position, cursor)).toThrow("is not a cursor of this list");
  });
});

describe("the query of a list", () => {
  const query = z.object(pageQuery);

  it("asks for 50 unless told", () => {
    expect(query.parse({})).toEqual({ limit: 50 });
    expect(query.parse({ limit: "100", cursor: "abc_-" })).toEqual({ limit: 100, cursor: "abc_-" });
  });

  it.each([
    { limit: "0" },
    { limit: "101" },
    { limit: "1.5" },
    { limit: "" },
    { limit: ["1", "2"] },
    { cursor: "" },
    { cursor: "a b" },
    { cursor: ["a", "b"] },
    { cursor: "a".repeat(1025) },
  ])("refuses %j", (given) => {
    expect(query.safeParse(given).success).toBe(false);
  });
});
