import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainText } from "./plain-text.ts";

describe("what a stranger calls itself", () => {
  it.each<[unknown, string | null]>([
    ["Alice's phone", "Alice's phone"],
    ["  Zoë 👩‍👩‍👧 ", "Zoë 👩‍👩‍👧"],
    ["a\u0000\u001b[31mb\r\nc", "a  [31mb  c"],
    ["evil\u202egnp.exe\u2069", "evil gnp.exe"],
    ["\ud800x", "\ufffdx"],
    ["", null],
    [" \n ", null],
    [7, null],
    [{ toString: () => "x" }, null],
    [undefined, null],
  ])("%j is shown as %j", (value, shown) => {
    expect(plainText(value)).toBe(shown);
  });

  it("is no longer than it may be, and on one line, whatever it is", () => {
    const text = fc.oneof(fc.string({ unit: "binary", maxLength: 2000 }), fc.string({ maxLength: 2000 }));
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 300 }), (value, max) => {
        const shown = plainText(value, max) ?? "x";
        return Array.from(shown).length <= max && !/[\p{Cc}\u202a-\u202e]/u.test(shown) && shown.isWellFormed();
      }),
    );
  });

  it("may be of any size", () => {
    expect(plainText("x".repeat(50_000_000))).toHaveLength(256);
  });
});
