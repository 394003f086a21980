import type { Clock } from "#lib/clock.ts";

/** Pause before the second replacement in a row; doubled with each further one. */
const BASE_MS = 1_000;
const MAX_MS = 300_000;
/** A pod that lived this long did not end for the reason the one before it did. */
const FORGET_MS = 600_000;

/**
 * Slows the replacement of pods that end again and again, such as those a full node evicts. The first is replaced at once.
 * Kept in memory only: a restart of the operator costs one early replacement at most.
 * Pauses are measured by the clock that is never set.
 */
export class ReplacementBackoff {
  readonly #clock: Pick<Clock, "now" | "monotonic">;
  readonly #ends = new Map<string, { count: number; lastAt: number }>();

  constructor(clock: Pick<Clock, "now" | "monotonic">) {
    this.#clock = clock;
  }

  /** Notes that a pod of this instance ended. */
  ended(instanceUid: string): void {
    const now = this.#clock.monotonic();
    const before = this.#ends.get(instanceUid);
    const count = before && now - before.lastAt < FORGET_MS ? before.count + 1 : 1;
    this.#ends.set(instanceUid, { count, lastAt: now });
  }

  /** Before when the next replacement must not be made (epoch milliseconds); undefined when it may be made now. */
  notBefore(instanceUid: string): number | undefined {
    const ends = this.#ends.get(instanceUid);
    if (!ends || ends.count < 2) return undefined;
    const leftMs = ends.lastAt + Math.min(BASE_MS * 2 ** (ends.count - 2), MAX_MS) - this.#clock.monotonic();
    return leftMs > 0 ? this.#clock.now() + leftMs : undefined;
  }

  /** The instance is gone. */
  forget(instanceUid: string): void {
    this.#ends.delete(instanceUid);
  }
}
