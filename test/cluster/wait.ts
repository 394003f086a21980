import { setTimeout as pause } from "node:timers/promises";

/** How `waitFor` waits. */
export interface WaitOptions {
  /** Gives up after this long; what is waited for is hung by then, not slow. */
  timeoutMs?: number;
  /** Pause between two looks; longer for looks that are work themselves. 25 ms by default. */
  everyMs?: number;
  /** Ends the wait at once: its reason is thrown. */
  signal?: AbortSignal;
}

/**
 * Looks until `check` gives something else than undefined or false, and gives that. For things outside this process
 * that tell nobody when they are done. What `check` throws counts as "not yet".
 * @throws Error naming `what` and the last failure when the time is up; the signal's reason when it aborts.
 */
export async function waitFor<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  { timeoutMs = 120_000, everyMs = 25, signal }: WaitOptions = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let failure: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const result = await check();
      if (result !== undefined && result !== false) return result;
      failure = undefined;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`${what}: not after ${timeoutMs / 1_000} s`, { cause: failure });
    }
    await pause(everyMs);
  }
}
