/** What came of one try of a request. `status` 0 = no answer. */
export interface Attempt {
  /** How many tries there were, this one included. */
  count: number;
  status: number;
  retryAfterMs?: number | undefined;
  /** Sending it twice is the same as sending it once. */
  idempotent: boolean;
}

/** client-go gives up after as many. */
const MAX_ATTEMPTS = 10;
const FIRST_BACKOFF_MS = 50;
const MAX_BACKOFF_MS = 2_000;

/**
 * How long to wait before sending a request again; undefined = don't. An answer 429 or 503 with `Retry-After` says that the
 * server did not act, so any request may be repeated; after a broken connection only an idempotent one.
 */
export function retryDelayMs(attempt: Attempt, random: () => number): number | undefined {
  if (attempt.count >= MAX_ATTEMPTS) return undefined;
  if (attempt.status === 429 || attempt.status === 503) return attempt.retryAfterMs;
  if (attempt.status !== 0 || !attempt.idempotent) return undefined;
  const backoff = Math.min(FIRST_BACKOFF_MS * 2 ** (attempt.count - 1), MAX_BACKOFF_MS);
  return backoff * (0.5 + random() / 2);
}
