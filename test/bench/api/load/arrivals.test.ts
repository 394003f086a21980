import { describe, expect, it } from "vitest";
import { seededRandom } from "#test/harness/seeded-random.ts";
import { arrivals } from "./arrivals.ts";

describe("arrivals", () => {
  const times = arrivals({ perSecond: 100, seconds: 100, random: seededRandom(1) });
  const gaps = times.map((time, index) => time - (times[index - 1] ?? 0));

  it("are as many as asked for, in order, within the time", () => {
    expect(Math.abs(times.length - 10_000)).toBeLessThan(300);
    expect(gaps.every((gap) => gap >= 0)).toBe(true);
    expect(times.at(-1)).toBeLessThan(100_000);
  });

  it("know nothing of each other: a gap is longer than the mean in e⁻¹ of all cases", () => {
    const long = gaps.filter((gap) => gap > 10).length / gaps.length;
    expect(Math.abs(long - Math.exp(-1))).toBeLessThan(0.02);
  });

  it("are the same for the same seed", () => {
    expect(arrivals({ perSecond: 100, seconds: 100, random: seededRandom(1) })).toEqual(times);
  });
});
