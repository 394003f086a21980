import { describe, expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createBackoff } from "./backoff.ts";

describe("the back-off", () => {
  const numbers = { firstMs: 800, maxMs: 30_000, resetAfterMs: 120_000 };

  it("doubles up to its longest wait", () => {
    const backoff = createBackoff({ ...numbers, clock: new ManualClock(), random: () => 0 });
    expect(Array.from({ length: 8 }, () => backoff.next())).toEqual([
      800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000,
    ]);
  });

  it("adds up to as much again", () => {
    const backoff = createBackoff({ ...numbers, clock: new ManualClock(), random: () => 0.75 });
    expect([backoff.next(), backoff.next()]).toEqual([1_400, 2_800]);
  });

  it("does not start anew because the clock was set, nor goes on for ever", async () => {
    const clock = new ManualClock();
    const backoff = createBackoff({ ...numbers, clock, random: () => 0 });
    backoff.next();
    clock.jump(3_600_000);
    expect(backoff.next()).toBe(1_600);
    clock.jump(-7_200_000);
    await clock.advance(1_600 + 120_000);
    expect(backoff.next()).toBe(800);
  });

  it("starts anew after a time without failures, the wait itself not counted", async () => {
    const clock = new ManualClock();
    const backoff = createBackoff({ ...numbers, clock, random: () => 0 });
    backoff.next();
    await clock.advance(800 + 119_999);
    expect(backoff.next()).toBe(1_600);
    await clock.advance(1_600 + 120_000);
    expect(backoff.next()).toBe(800);
  });
});
