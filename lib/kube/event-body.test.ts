import fc from "fast-check";
import { expect, it } from "vitest";
import { clip } from "./event-body.ts";

it("cuts a text to a number of bytes, inside no character", () => {
  expect(clip("short", 5)).toBe("short");
  expect(clip("longer", 5)).toBe("lo…");
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 60 }), fc.integer({ min: 3, max: 50 }), (text, bytes) => {
      const cut = clip(text, bytes);
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(bytes);
      if (Buffer.byteLength(text) <= bytes) expect(cut).toBe(text);
      else expect(text.startsWith(cut.slice(0, -1))).toBe(true);
    }),
  );
});
