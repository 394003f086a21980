import { describe, expect, it } from "vitest";
import { endOf, shorten } from "./shorten.ts";

const crabs = (count: number) => "🦀".repeat(count);

describe("a text that is too long", () => {
  it("is cut between characters, and shows that it was", () => {
    expect(shorten(crabs(5), 4)).toBe(`${crabs(3)}…`);
    expect(shorten("abcde", 4)).toBe("abc…");
    expect(endOf(`a${crabs(5)}`, 4)).toBe(crabs(4));
  });

  it("is no text of as many characters, whatever they take", () => {
    for (const text of ["abcd", crabs(4), ""]) {
      expect(shorten(text, 4)).toBe(text);
      expect(endOf(text, 4)).toBe(text);
    }
  });
});
