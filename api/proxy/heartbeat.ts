import type { Clock } from "#lib/clock.ts";

/** Silence after which a stream of events gets a comment, so that no proxy on the way takes it for dead. */
export const HEARTBEAT_MS = 15_000;
/** A comment of the event stream format: no client sees it as an event. */
export const HEARTBEAT = ": keep-alive\n\n";

/** Watches one stream for silence. */
export interface Heartbeat {
  /** Something was sent. */
  touch(): void;
  stop(): void;
}

/** Calls `beat` after each {@link HEARTBEAT_MS} without a touch. One timer per silence, not one per chunk. */
export function startHeartbeat(clock: Clock, beat: () => void): Heartbeat {
  let last = clock.monotonic();
  let cancel = clock.setTimer(check, HEARTBEAT_MS);
  function check() {
    const left = last + HEARTBEAT_MS - clock.monotonic();
    if (left <= 0) {
      last = clock.monotonic();
      beat();
    }
    cancel = clock.setTimer(check, left <= 0 ? HEARTBEAT_MS : left);
  }
  return {
    touch() {
      last = clock.monotonic();
    },
    stop() {
      cancel();
    },
  };
}
