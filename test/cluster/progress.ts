import { performance } from "node:perf_hooks";

/** How often a step that takes long says that it is still at it, on a terminal and elsewhere. */
const TICK_MS = { terminal: 1_000, log: 30_000 };

/**
 * Runs one long step and tells on standard error what goes on and for how long: a line that counts on a terminal, a
 * sign of life every 30 s elsewhere. Steps may be nested or run side by side.
 */
export async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const live = process.stderr.isTTY;
  const elapsed = () => formatSeconds(performance.now() - started);
  const tick = () =>
    process.stderr.write(live ? `\r\u001B[K  ${title} ... ${elapsed()}` : `  ${title} ... ${elapsed()}\n`);
  if (live) tick();
  const timer = setInterval(tick, live ? TICK_MS.terminal : TICK_MS.log);
  try {
    const result = await work();
    process.stderr.write(`${live ? "\r\u001B[K" : ""}  ${title}: ${elapsed()}\n`);
    return result;
  } catch (error) {
    process.stderr.write(`${live ? "\r\u001B[K" : ""}  ${title}: failed after ${elapsed()}\n`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** `0.4 s`, `12 s`, `7 min 05 s`. */
export function formatSeconds(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
}
