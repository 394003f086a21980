import type { Clock } from "#lib/clock.ts";

/** A time limit joined with a caller's signal. `stop` must be called when the work is done. */
export interface Deadline {
  /** Aborts when the time is up or the caller's signal aborts. */
  readonly signal: AbortSignal;
  /** True when it was the time that ran out. */
  readonly expired: boolean;
  remainingMs(): number;
  stop(): void;
}

/**
 * Starts a time limit. Its own listener and timer instead of `AbortSignal.any`, which would leave something behind on a
 * process-long signal for each request.
 */
export function startDeadline(clock: Clock, limitMs: number, signal?: AbortSignal): Deadline {
  const controller = new AbortController();
  const endsAt = clock.monotonic() + limitMs;
  let expired = false;
  const cancel = clock.setTimer(() => {
    expired = true;
    controller.abort(new Error(`no answer within ${limitMs} ms`));
  }, limitMs);
  const onAbort = () => controller.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    get expired() {
      return expired;
    },
    remainingMs: () => endsAt - clock.monotonic(),
    stop() {
      cancel();
      signal?.removeEventListener("abort", onAbort);
    },
  };
}
