import { describe, expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { ReplacementBackoff } from "./replacement-backoff.ts";

describe("the pause before a pod is replaced", () => {
  it("is none for the first, then grows to five minutes, and is forgotten after ten quiet ones", async () => {
    const clock = new ManualClock();
    const backoff = new ReplacementBackoff(clock);
    const pauses: (number | undefined)[] = [];
    for (let i = 0; i < 12; i++) {
      backoff.ended("uid");
      const until = backoff.notBefore("uid");
      pauses.push(until === undefined ? undefined : until - clock.now());
      if (until !== undefined) await clock.advance(until - clock.now());
    }
    expect(pauses.slice(0, 4)).toEqual([undefined, 1_000, 2_000, 4_000]);
    expect(pauses.at(-1)).toBe(300_000);
    expect(backoff.notBefore("uid")).toBeUndefined();
    await clock.advance(600_000);
    backoff.ended("uid");
    expect(backoff.notBefore("uid")).toBeUndefined();
  });

  it("is as long as it is, also when the clock is set meanwhile", async () => {
    const clock = new ManualClock();
    const backoff = new ReplacementBackoff(clock);
    for (let i = 0; i < 3; i++) backoff.ended("uid");
    clock.jump(-3_600_000);
    expect(backoff.notBefore("uid")).toBe(clock.now() + 2_000);
    clock.jump(7_200_000);
    expect(backoff.notBefore("uid")).toBe(clock.now() + 2_000);
    await clock.advance(2_000);
    expect(backoff.notBefore("uid")).toBeUndefined();
  });

  it("is each instance's own", () => {
    const backoff = new ReplacementBackoff(new ManualClock());
    for (let i = 0; i < 3; i++) backoff.ended("a");
    expect(backoff.notBefore("b")).toBeUndefined();
    backoff.forget("a");
    expect(backoff.notBefore("a")).toBeUndefined();
  });
});
