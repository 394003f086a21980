import type { Reason } from "#crds/index.ts";

/** OpenClaw's word on an image and a configuration. */
export type CheckVerdict = { readonly passed: true } | ({ readonly passed: false } & CheckFault);

/** Why a check was not passed, or could not be made. */
export interface CheckFault {
  readonly reason: Reason;
  /** For a person, without a next step. */
  readonly message: string;
}

/** What an instance's plan says of the check it needs. */
export interface CheckReport {
  /** What is checked: equal for all instances of a namespace with the same image and configuration. */
  readonly id: string;
  /** This instance has the pod of the check, or is about to make it. */
  readonly runs: boolean;
  readonly verdict?: CheckVerdict | undefined;
  /** What keeps the check from being made, so far. */
  readonly trouble?: CheckFault | undefined;
}

/** What plans may read of it. */
export interface CheckBoard {
  verdict(id: string): CheckVerdict | undefined;
  /** The instance that makes the check, by key, and what keeps it from doing so. */
  runner(id: string): { readonly key: string; readonly trouble?: CheckFault | undefined } | undefined;
}

/** Verdicts kept; a namespace knows few at a time. */
const VERDICTS_MAX = 1_000;

/**
 * The checks of all instances, so that a change of a class is checked once and not by each of its thousand instances. In
 * memory only: after a restart the pods of checks tell again what they found.
 */
export class ConfigChecks implements CheckBoard {
  readonly #wake: (key: string) => void;
  readonly #verdicts = new Map<string, CheckVerdict>();
  readonly #runners = new Map<string, { key: string; trouble?: CheckFault | undefined }>();
  /** Who waits for which check. */
  readonly #waiting = new Map<string, string>();

  /** `wake` is told the keys of those who may go on. */
  constructor(wake: (key: string) => void) {
    this.#wake = wake;
  }

  verdict(id: string): CheckVerdict | undefined {
    return this.#verdicts.get(id);
  }

  runner(id: string): { key: string; trouble?: CheckFault | undefined } | undefined {
    return this.#runners.get(id);
  }

  /** Takes in what an instance's plan says; undefined = it needs no check (any more). */
  report(key: string, check: CheckReport | undefined): void {
    for (const [id, runner] of this.#runners) {
      if (runner.key === key && !(check?.runs && check.id === id)) this.#release(id);
    }
    this.#waiting.delete(key);
    if (!check) return;
    const { id, runs, verdict, trouble } = check;
    if (verdict) this.#settle(id, verdict);
    else if (!runs) this.#waiting.set(key, id);
    if (!runs) return;
    const before = this.#runners.get(id);
    this.#runners.set(id, { key, trouble });
    if (before?.trouble?.message !== trouble?.message) this.#wakeWaiting(id);
  }

  #settle(id: string, verdict: CheckVerdict): void {
    if (this.#verdicts.has(id)) return;
    this.#verdicts.set(id, verdict);
    const oldest = this.#verdicts.keys().next().value;
    if (this.#verdicts.size > VERDICTS_MAX && oldest !== undefined) this.#verdicts.delete(oldest);
    this.#wakeWaiting(id);
  }

  #release(id: string): void {
    this.#runners.delete(id);
    this.#wakeWaiting(id);
  }

  #wakeWaiting(id: string): void {
    for (const [key, waitsFor] of this.#waiting) if (waitsFor === id) this.#wake(key);
  }
}
