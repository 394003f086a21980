import type { Clock } from "#lib/clock.ts";

/** A clock that stands still until a test moves it; due timers run in order of their due time. */
export class ManualClock implements Clock {
  #elapsed = 0;
  #wallAtStart: number;
  #timers: { at: number; callback: () => void }[] = [];

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#wallAtStart = startMs;
  }

  now(): number {
    return this.#wallAtStart + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = { at: this.#elapsed + Math.max(0, delayMs), callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Sets the wall clock forward or, with a negative `ms`, back. No time passes. */
  jump(ms: number): void {
    this.#wallAtStart += ms;
  }

  /** Lets `ms` pass, running each timer that falls due (and those it sets), and lets promises settle between. */
  async advance(ms: number): Promise<void> {
    const end = this.#elapsed + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#elapsed = Math.max(this.#elapsed, due.at);
      due.callback();
    }
    this.#elapsed = end;
  }
}
