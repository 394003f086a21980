import fc from "fast-check";
import { expect, it } from "vitest";
import { microTime } from "./micro-time.ts";

it("writes six fractional digits for any time and loses nothing", () => {
  expect(microTime(Date.UTC(2026, 0, 2, 3, 4, 5, 60))).toBe("2026-01-02T03:04:05.060000Z");
  fc.assert(
    fc.property(fc.integer({ min: 0, max: Date.UTC(2200, 0) }), (ms) => {
      const text = microTime(ms);
      expect(text).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      expect(Date.parse(text)).toBe(ms);
    }),
  );
});
