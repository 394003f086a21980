import { describe, expect, it } from "vitest";
import { isStorableJson } from "./storable.ts";

describe("a value of JSON", () => {
  it.each(["", "a", "\\u0000", "😀", 1, null, true, [], {}, { a: [{ b: "c" }] }])("%j can be stored", (value) => {
    expect(isStorableJson(value)).toBe(true);
  });

  it.each(["\0", "a\0", "\ud83d", "\ude00\ud83d", ["\0"], { a: { b: ["\0"] } }, { "\0": 1 }, { a: { "\ud800": 1 } }])(
    "%j cannot",
    (value) => {
      expect(isStorableJson(value)).toBe(false);
    },
  );
});
