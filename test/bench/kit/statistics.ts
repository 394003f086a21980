/**
 * The value below which a share `p` (0 to 1) of the samples lies, by the nearest rank: always one of the samples. NaN
 * without samples.
 */
export function percentile(samples: readonly number[], p: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const rank = Math.max(1, Math.ceil(p * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}

/** The middle of the samples, or the mean of the two in the middle. NaN without samples. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(half) - 1], sorted[Math.floor(half)]];
  return (low + high) / 2;
}

/** Cumulative counts of a Prometheus histogram by upper bound, in ascending order, the last of them Infinity. */
export type Buckets = readonly (readonly [le: number, count: number])[];

/** PromQL's `histogram_quantile`: straight-line inside a bucket; the last finite bound for what lies beyond it. NaN when empty. */
export function histogramQuantile(buckets: Buckets, q: number): number {
  const total = buckets.at(-1)?.[1] ?? 0;
  if (total === 0) return Number.NaN;
  const rank = q * total;
  let [below, countBelow] = [0, 0];
  for (const [le, count] of buckets) {
    if (count >= rank) {
      if (!Number.isFinite(le)) return below;
      return count === countBelow ? le : below + ((le - below) * (rank - countBelow)) / (count - countBelow);
    }
    [below, countBelow] = [le, count];
  }
  return below;
}

/** What was counted between two looks at one histogram. */
export function bucketsBetween(before: Buckets, after: Buckets): Buckets {
  const counted = new Map(before);
  return after.map(([le, count]) => [le, count - (counted.get(le) ?? 0)] as const);
}
