import { describe, expect, it } from "vitest";
import { retryDelayMs } from "./retry.ts";

describe("retryDelayMs", () => {
  const random = () => 1;

  it.each([429, 503])("waits out a %i that says how long, whatever the request", (status) => {
    expect(retryDelayMs({ count: 1, status, retryAfterMs: 1_000, idempotent: false }, random)).toBe(1_000);
    expect(retryDelayMs({ count: 1, status, idempotent: true }, random)).toBeUndefined();
  });

  it("repeats an unanswered request only when that is safe", () => {
    expect(retryDelayMs({ count: 1, status: 0, idempotent: false }, random)).toBeUndefined();
    expect([1, 2, 3, 9].map((count) => retryDelayMs({ count, status: 0, idempotent: true }, random))).toEqual([
      50, 100, 200, 2_000,
    ]);
  });

  it("never repeats an answer of any other kind, and ends some time", () => {
    for (const status of [400, 401, 404, 409, 500]) {
      expect(retryDelayMs({ count: 1, status, retryAfterMs: 5, idempotent: true }, random)).toBeUndefined();
    }
    expect(retryDelayMs({ count: 10, status: 0, idempotent: true }, random)).toBeUndefined();
  });
});
