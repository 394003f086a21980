import type { Clock } from "#lib/clock.ts";
import { isUnavailable } from "../store/store-error.ts";
import type { Freshness } from "./authenticator.ts";

/** An answer this young is used again by those who may use remembered ones: no look-up on the hot path of a chat. */
export const FRESH_MS = 5_000;
/** An answer this old is still used by them while Postgres is away. */
export const USABLE_MS = 60_000;
/** So long such a look-up is waited for while there is an answer that would do. */
export const PATIENCE_MS = 250;
/** Answers kept at most; the least lately learnt goes first. */
const MAX_ENTRIES = 10_000;

interface Entry<T> {
  readonly value: T;
  readonly at: number;
}

/** Remembers what look-ups answered, for a short while and for few. */
export interface Remembered<T> {
  /**
   * What `load` answers, or what it answered lately if that is good enough. Look-ups of one key at one time are one.
   * @throws whatever `load` throws.
   */
  get(key: string, freshness: Freshness, load: () => Promise<T>): Promise<T>;
}

/** A memory of look-ups; `isWorthIt` says which answers are kept (by default all). */
export function createRemembered<T>(clock: Clock, isWorthIt: (value: T) => boolean = () => true): Remembered<T> {
  const known = new Map<string, Entry<T>>();
  const loading = new Map<string, Promise<T>>();

  async function ask(key: string, load: () => Promise<T>): Promise<T> {
    const at = clock.monotonic();
    const value = await load();
    const newer = known.get(key);
    if (newer && newer.at > at) return value;
    known.delete(key);
    if (isWorthIt(value)) known.set(key, { value, at });
    for (const oldest of known.keys()) {
      if (known.size <= MAX_ENTRIES) break;
      known.delete(oldest);
    }
    return value;
  }

  function join(key: string, load: () => Promise<T>): Promise<T> {
    const running = loading.get(key);
    if (running) return running;
    const started = ask(key, load).finally(() => loading.delete(key));
    loading.set(key, started);
    return started;
  }

  /** What is known, if the answer lets wait: a Postgres that hangs is away as well. */
  async function orLast(key: string, answer: Promise<T>, entry: Entry<T>): Promise<T> {
    const late = Promise.withResolvers<T>();
    const cancel = clock.setTimer(() => late.resolve((known.get(key) ?? entry).value), PATIENCE_MS);
    // Who waits no longer leaves it to the next one to hear of it.
    answer.catch(() => undefined);
    return Promise.race([answer, late.promise]).finally(cancel);
  }

  return {
    async get(key, { mayBeRemembered }, load) {
      // A look-up that began before the caller came could miss what the caller has just changed.
      if (!mayBeRemembered) return ask(key, load);
      const entry = known.get(key);
      if (entry && clock.monotonic() - entry.at <= FRESH_MS) return entry.value;
      try {
        const answer = join(key, load);
        return await (entry && clock.monotonic() - entry.at <= USABLE_MS ? orLast(key, answer, entry) : answer);
      } catch (error) {
        // Not the entry of before: somebody else's look-up may have found meanwhile that it is not true any more.
        const last = known.get(key);
        if (last && isUnavailable(error) && clock.monotonic() - last.at <= USABLE_MS) return last.value;
        throw error;
      }
    },
  };
}
