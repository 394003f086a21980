import fc from "fast-check";
import { expect, it } from "vitest";
import { EventBoundary } from "./event-boundary.ts";

it.each([
  ["", true],
  ["data: x\n\n", true],
  ["data: x\r\n\r\n", true],
  ["data: x\r\r", true],
  ["data: x\n", false],
  ["data: x", false],
  ["data: x\n\ndata", false],
  ["data: x\r\n", false],
])("%j", (text, isReached) => {
  const boundary = new EventBoundary();
  boundary.push(Buffer.from(text));
  expect(boundary.isReached).toBe(isReached);
});

it("does not depend on where the bytes are cut", () => {
  const events = fc.array(fc.constantFrom("data: x", "\n", "\r\n", "\r", ": c"), { maxLength: 12 });
  fc.assert(
    fc.property(events, fc.array(fc.nat(20)), (parts, cuts) => {
      const text = parts.join("");
      const whole = new EventBoundary();
      whole.push(Buffer.from(text));
      const pieces = new EventBoundary();
      let at = 0;
      for (const cut of [...cuts, text.length]) {
        pieces.push(Buffer.from(text.slice(at, at + cut)));
        at += cut;
      }
      expect(pieces.isReached).toBe(whole.isReached);
    }),
  );
});
