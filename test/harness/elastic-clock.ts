import { type Clock, systemClock } from "#lib/clock.ts";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
  cancel: () => void;
}

/** The machine's clock, of which a test may skip stretches: for waits of minutes beside a real apiserver. */
export class ElasticClock implements Clock {
  readonly #timers = new Set<Timer>();
  #skippedMs = 0;
  #setByMs = 0;
  #mayPass: () => Promise<void> = () => Promise.resolve();

  now(): number {
    return systemClock.now() + this.#setByMs;
  }

  monotonic(): number {
    return systemClock.monotonic() + this.#skippedMs;
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer: Timer = { at: this.monotonic() + Math.max(0, delayMs), callback, cancel: () => undefined };
    this.#timers.add(timer);
    this.#arm(timer);
    return () => {
      this.#timers.delete(timer);
      timer.cancel();
    };
  }

  /** Sets the wall clock forward or, with a negative `ms`, back. No time passes. */
  jump(ms: number): void {
    this.#setByMs += ms;
  }

  /** Time is skipped only while this resolves: what is under way on a real server takes the time it takes. */
  waitFor(mayPass: () => Promise<void>): void {
    this.#mayPass = mayPass;
  }

  /**
   * Lets `ms` pass at once for all that is measured, in steps between which what is due runs and real answers may come in. The
   * wall clock stays: those who wrote the time stamps that it is compared with skipped nothing.
   */
  async skip(ms: number, stepMs = 1_000): Promise<void> {
    for (let left = ms; left > 0; left -= stepMs) {
      await this.#mayPass();
      this.#skippedMs += Math.min(left, stepMs);
      const due = [...this.#timers].filter((timer) => timer.at <= this.monotonic()).sort((a, b) => a.at - b.at);
      for (const timer of due) this.#fire(timer);
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (const timer of this.#timers) this.#arm(timer);
  }

  #arm(timer: Timer): void {
    timer.cancel();
    timer.cancel = systemClock.setTimer(() => this.#fire(timer), timer.at - this.monotonic());
  }

  #fire(timer: Timer): void {
    if (!this.#timers.delete(timer)) return;
    timer.cancel();
    timer.callback();
  }
}
