import type { Clock } from "#lib/clock.ts";

/** Waits that grow while failures go on. */
export interface Backoff {
  /** How long to wait after this failure, in milliseconds. */
  next(): number;
}

export interface BackoffOptions {
  firstMs: number;
  /** The longest wait before jitter. */
  maxMs: number;
  /** Without a failure for this long, the next one starts at `firstMs` again. */
  resetAfterMs: number;
  clock: Clock;
  random: () => number;
}

/** Doubles with each failure; up to as much again is added at random, so that many clients do not come back at once. */
export function createBackoff(o: BackoffOptions): Backoff {
  let base = o.firstMs;
  let quietSince = Number.NEGATIVE_INFINITY;
  return {
    next() {
      const now = o.clock.monotonic();
      if (now - quietSince >= o.resetAfterMs) base = o.firstMs;
      const wait = base * (1 + o.random());
      base = Math.min(base * 2, o.maxMs);
      quietSince = now + wait;
      return wait;
    },
  };
}
