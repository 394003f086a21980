/** A source of time that tests can move by hand. All durations are milliseconds. */
export interface Clock {
  /** Milliseconds since the epoch, by a clock that people and NTP set forward and back: for what is written down, never for how long. */
  now(): number;
  /** Milliseconds since some moment; never set, only ever grows. For durations, deadlines and what is due when. */
  monotonic(): number;
  /** Runs `callback` once after `delayMs`; the returned function cancels it. Never keeps the process alive by itself. */
  setTimer(callback: () => void, delayMs: number): () => void;
}

/** Node refuses longer delays (it would fire at once); a timer this long is re-armed by its owner anyway. */
const MAX_TIMER_MS = 2_147_483_647;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), MAX_TIMER_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/**
 * Resolves after `delayMs` or as soon as `signal` aborts, whichever comes first; never rejects, so that loops check
 * `signal.aborted` themselves.
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = clock.setTimer(finish, delayMs);
    function finish() {
      cancel();
      signal?.removeEventListener("abort", finish);
      resolve();
    }
    signal?.addEventListener("abort", finish, { once: true });
  });
}

/** RFC 3339 in UTC with second precision, as the apiserver writes `metav1.Time`. */
export function timestamp(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}
