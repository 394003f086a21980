import { createRequire } from "node:module";

interface UndiciTimers {
  /** Lets undici's own clock go on; meant for tests. */
  tick(ms: number): void;
}

// undici measures how long an answer takes by timers of its own, which no clock of ours moves.
const timers = createRequire(import.meta.url)("undici/lib/util/timers.js") as UndiciTimers;

/** Lets `ms` pass for the timeouts of every undici client of this process. */
export function passUndiciTime(ms: number): void {
  // A timer that was set or renewed begins with the first tick after that.
  timers.tick(0);
  timers.tick(ms);
}
