import type { Clock } from "#lib/clock.ts";
import { ApiError } from "../errors.ts";

/** Owners remembered at most; who is forgotten begins anew with a full bucket. */
const MAX_OWNERS = 50_000;

/** Bounds how often an owner (a tenant, an address) may call. Counts are of this replica alone. */
export interface RateLimit {
  /** Counts one call. @throws ApiError 429 with the time until the next one may come. */
  take(owner: string): void;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** A token bucket per owner: `burst` calls at once, and `perMinute` in the long run. */
export function createRateLimit(o: { perMinute: number; burst: number; clock: Clock }): RateLimit {
  const buckets = new Map<string, Bucket>();
  const perMs = o.perMinute / 60_000;
  return {
    take(owner) {
      const now = o.clock.monotonic();
      const bucket = buckets.get(owner) ?? { tokens: o.burst, at: now };
      bucket.tokens = Math.min(o.burst, bucket.tokens + (now - bucket.at) * perMs);
      bucket.at = now;
      // The least lately seen stand first.
      buckets.delete(owner);
      buckets.set(owner, bucket);
      for (const oldest of buckets.keys()) {
        if (buckets.size <= MAX_OWNERS) break;
        buckets.delete(oldest);
      }
      if (bucket.tokens < 1) {
        throw new ApiError("rate_limited", "too many calls", {
          step: "limit",
          retryAfterSeconds: Math.ceil((1 - bucket.tokens) / perMs / 1000),
        });
      }
      bucket.tokens -= 1;
    },
  };
}
