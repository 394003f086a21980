import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { ApiError } from "../errors.ts";
import { createRateLimit, type RateLimit } from "./rate.ts";

function refusal(limit: RateLimit, owner = "a"): ApiError | undefined {
  try {
    limit.take(owner);
    return undefined;
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
}

describe("a rate", () => {
  it("lets a burst pass, then as many as come back with time, each owner's own", async () => {
    const clock = new ManualClock();
    const limit = createRateLimit({ perMinute: 60, burst: 3, clock });
    for (let call = 0; call < 3; call++) expect(refusal(limit)).toBeUndefined();
    expect(refusal(limit)).toMatchObject({ code: "rate_limited", retryAfterSeconds: 1 });
    expect(refusal(limit, "b")).toBeUndefined();
    await clock.advance(1_000);
    expect(refusal(limit)).toBeUndefined();
    expect(refusal(limit)).toBeDefined();
  });

  it("is full again after a while, and no fuller", async () => {
    const clock = new ManualClock();
    const limit = createRateLimit({ perMinute: 60, burst: 3, clock });
    for (let call = 0; call < 3; call++) limit.take("a");
    await clock.advance(3_600_000);
    for (let call = 0; call < 3; call++) expect(refusal(limit)).toBeUndefined();
    expect(refusal(limit)).toBeDefined();
  });

  it("is not given back by setting the wall clock", () => {
    const clock = new ManualClock();
    const limit = createRateLimit({ perMinute: 60, burst: 1, clock });
    limit.take("a");
    clock.jump(3_600_000);
    expect(refusal(limit)).toBeDefined();
  });

  it("whoever waits as long as told passes, and never more than allowed do", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 600 }),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 40 }),
        async (perMinute, burst, pauses) => {
          const clock = new ManualClock();
          const limit = createRateLimit({ perMinute, burst, clock });
          let passed = 0;
          for (const pause of pauses) {
            await clock.advance(pause);
            const refused = refusal(limit);
            if (!refused) passed += 1;
            else if (refused.retryAfterSeconds !== undefined) {
              await clock.advance(refused.retryAfterSeconds * 1000);
              expect(refusal(limit)).toBeUndefined();
              passed += 1;
            }
            expect(passed).toBeLessThanOrEqual(burst + (clock.monotonic() * perMinute) / 60_000 + 1e-6);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it("forgets the least lately seen, never who keeps calling", () => {
    const limit = createRateLimit({ perMinute: 1, burst: 1, clock: new ManualClock() });
    limit.take("busy");
    for (let owner = 0; owner < 60_000; owner++) {
      limit.take(`other-${owner}`);
      if (owner % 1_000 === 0) expect(refusal(limit, "busy")).toBeDefined();
    }
    expect(refusal(limit, "busy")).toBeDefined();
    expect(refusal(limit, "other-0")).toBeUndefined();
  });
});
