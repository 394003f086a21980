import type { Drift } from "../http/drift.ts";

/** Fails the whole run of tests, whatever the test at hand looks at: an unhandled rejection. */
export function failOnDrift(drift: Drift): void {
  void Promise.reject(drift);
}
