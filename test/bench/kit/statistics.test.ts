import { describe, expect, it } from "vitest";
import { bucketsBetween, histogramQuantile, median, percentile } from "./statistics.ts";

describe("percentile", () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);

  it.each([
    [0, 1],
    [0.5, 50],
    [0.99, 99],
    [1, 100],
  ])("of 1 to 100 in any order, at %d, is %d", (p, value) => {
    expect(percentile(hundred, p)).toBe(value);
  });

  it("is a sample, also of few", () => {
    expect([percentile([7], 0.99), percentile([3, 9], 0.5), percentile([3, 9], 0.51)]).toEqual([7, 3, 9]);
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe("median", () => {
  it.each([
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
    [[7], 7],
    [[], Number.NaN],
  ])("of %j is %d", (samples, value) => {
    expect(median(samples)).toBe(value);
  });
});

describe("histogramQuantile", () => {
  const buckets = [
    [0.1, 50],
    [0.2, 90],
    [Number.POSITIVE_INFINITY, 100],
  ] as const;

  it.each([
    [0.25, 0.05],
    [0.5, 0.1],
    [0.7, 0.15],
    [0.9, 0.2],
    [0.99, 0.2],
  ])("at %d is %d", (q, value) => {
    expect(histogramQuantile(buckets, q)).toBeCloseTo(value, 9);
  });

  it("of nothing is no number", () => {
    expect(histogramQuantile([], 0.5)).toBeNaN();
    expect(histogramQuantile([[Number.POSITIVE_INFINITY, 0]], 0.5)).toBeNaN();
  });

  it("looks at one span of time alone", () => {
    const later = buckets.map(([le, count]) => [le, count + (le === 0.1 ? 10 : 20)] as const);
    expect(bucketsBetween(buckets, later)).toEqual([
      [0.1, 10],
      [0.2, 20],
      [Number.POSITIVE_INFINITY, 20],
    ]);
  });
});
