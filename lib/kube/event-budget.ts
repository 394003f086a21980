/** At most this many event writes for one object within the window. */
const LIMIT = 25;
const WINDOW_MS = 5 * 60_000;

/** Keeps one object that flaps from flooding the apiserver with events. */
export class EventBudget {
  /** Per object: when the writes within the window were made, oldest first. */
  readonly #writes = new Map<string, number[]>();

  /** Spends one write for an object; else answers how many milliseconds until the next one is free. */
  spend(object: string, now: number): { ok: true } | { ok: false; freeInMs: number } {
    const recent = (this.#writes.get(object) ?? []).filter((at) => at > now - WINDOW_MS);
    this.#writes.set(object, recent);
    const [oldest] = recent;
    if (recent.length >= LIMIT && oldest !== undefined) return { ok: false, freeInMs: oldest + WINDOW_MS - now };
    recent.push(now);
    return { ok: true };
  }

  /** Forgets the objects that wrote nothing within the window. */
  sweep(now: number): void {
    for (const [object, writes] of this.#writes) {
      if ((writes.at(-1) ?? 0) <= now - WINDOW_MS) this.#writes.delete(object);
    }
  }
}
