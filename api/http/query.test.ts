import { describe, expect, it } from "vitest";
import * as z from "zod";
import { flag, wholeNumber, wholeNumberOr } from "./query.ts";

const query = z.object({ n: wholeNumber(0, 120).optional(), m: wholeNumberOr(7, 1, 9), is: flag.optional() });

describe("a query", () => {
  it.each([
    [{}, { m: 7 }],
    [{ n: "0" }, { n: 0, m: 7 }],
    [
      { n: "120", m: "9" },
      { n: 120, m: 9 },
    ],
    [{ is: "true" }, { m: 7, is: true }],
    [{ is: "on" }, { m: 7, is: true }],
    [{ is: "0" }, { m: 7, is: false }],
  ])("of %j is %j", (given, read) => {
    expect(query.parse(given)).toEqual(read);
  });

  // Most of these are numbers to JavaScript.
  it.each(["", "x", ["1", "2"], "121", " 1", "1 ", "+1", "01", "1.0", "1e1", "0x1", "-0", "١"])(
    "has no whole number in %j",
    (n) => {
      const { error } = query.safeParse({ n });
      expect(error?.issues).toMatchObject([{ path: ["n"] }]);
    },
  );

  it.each(["", "yes please", "TRUE", "2", ["true", "true"]])("has neither yes nor no in %j", (is) => {
    expect(query.safeParse({ is }).success).toBe(false);
  });

  it("says so in its schema", () => {
    expect(z.toJSONSchema(query, { io: "input" }).properties).toMatchObject({
      n: { type: "integer", minimum: 0, maximum: 120 },
      m: { type: "integer", minimum: 1, maximum: 9, default: 7 },
      is: { enum: expect.arrayContaining(["true", "1", "yes", "on", "false", "0", "no", "off"]) },
    });
  });
});
