/** Pause before the second replacement in a row; doubled with each further one. */
const BASE_MS = 1_000;
const MAX_MS = 300_000;
/** A pod that lived this long did not end for the reason the one before it did. */
const FORGET_MS = 600_000;

/**
 * Slows the replacement of pods that end again and again, such as those a full node evicts. The first is replaced at once.
 * Kept in memory only: a restart of the operator costs one early replacement at most.
 */
export class ReplacementBackoff {
  readonly #ends = new Map<string, { count: number; lastAt: number }>();

  /** Notes that a pod of this instance ended. Times in epoch milliseconds. */
  ended(instanceUid: string, now: number): void {
    const before = this.#ends.get(instanceUid);
    const count = before && now - before.lastAt < FORGET_MS ? before.count + 1 : 1;
    this.#ends.set(instanceUid, { count, lastAt: now });
  }

  /** Before when the next replacement must not be made; undefined when it may be made now. */
  notBefore(instanceUid: string, now: number): number | undefined {
    const ends = this.#ends.get(instanceUid);
    if (!ends || ends.count < 2) return undefined;
    const until = ends.lastAt + Math.min(BASE_MS * 2 ** (ends.count - 2), MAX_MS);
    return until > now ? until : undefined;
  }

  /** The instance is gone. */
  forget(instanceUid: string): void {
    this.#ends.delete(instanceUid);
  }
}
