import { expect } from "vitest";

/** Ends only a test that hangs; it is no speed limit. */
const PATIENCE_MS = 50_000;

/** Asks again until the matcher that follows holds. For what no event tells. */
export function eventually<T>(ask: () => T) {
  return expect.poll(ask, { timeout: PATIENCE_MS, interval: 20 });
}
