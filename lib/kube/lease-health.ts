import type { Clock } from "#lib/clock.ts";
import type { Check } from "#lib/ops-server.ts";

/** Whether a candidate can get at its lease. One that stands by can; a leader that cannot ends long before this would tell. */
export interface LeaseHealth {
  /** Told of each attempt to take the lease, with what it failed of. */
  attempted(error?: unknown): void;
  /** A readiness check: what is wrong once every attempt has failed for longer than was tolerated. */
  readonly check: Check;
}

/**
 * Health of one candidature that has not begun, which is well.
 * @param toleratedMs how long attempts may fail before that is a fault; default 15 s, the usual duration of a lease.
 */
export function watchLeaseHealth({ clock, toleratedMs = 15_000 }: { clock: Clock; toleratedMs?: number }): LeaseHealth {
  let failing: { since: number; text: string } | undefined;
  return {
    attempted(error) {
      const text = error instanceof Error ? error.message : String(error);
      failing = error === undefined ? undefined : { since: failing?.since ?? clock.monotonic(), text };
    },
    check() {
      if (!failing) return undefined;
      const forMs = clock.monotonic() - failing.since;
      return forMs > toleratedMs ? `not to be had for ${Math.round(forMs / 1000)} s: ${failing.text}` : undefined;
    },
  };
}
