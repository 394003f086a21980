import { ApiError } from "../errors.ts";
import { countCredentials, type DistinctHeaders, INTERNAL_KEY_HEADER } from "./credential-headers.ts";
import type { Identity, Scheme } from "./identity.ts";

export type { DistinctHeaders } from "./credential-headers.ts";

/** How new an answer must be. */
export interface Freshness {
  /** What was learnt within the last minute will do while Postgres is away: a chat goes on that anything else would not. */
  readonly mayBeRemembered: boolean;
}

/** One way to prove who calls. */
export interface Authenticator {
  readonly scheme: Scheme;
  /**
   * Who its credential proves to be calling; undefined when the request carries no credential of this scheme.
   * @throws ApiError 401 when the credential is there and wrong: no other scheme is asked then. StoreError when it can't be looked up.
   */
  authenticate(headers: DistinctHeaders, freshness: Freshness): Promise<Identity | undefined>;
}

/**
 * Asks each scheme in order; the first whose credential is present decides. A first-party server's key decides over all others;
 * else two credentials are one too many, were they the same: whose request it is must not depend on which one is looked at.
 * @throws ApiError 401 when none is present, or more than one.
 */
export async function authenticate(
  schemes: readonly Authenticator[],
  headers: DistinctHeaders,
  freshness: Freshness = { mayBeRemembered: false },
): Promise<Identity> {
  if (!headers[INTERNAL_KEY_HEADER] && countCredentials(headers) > 1) throw unauthorized("more than one credential");
  for (const scheme of schemes) {
    const identity = await scheme.authenticate(headers, freshness);
    if (identity) return identity;
  }
  throw unauthorized("no credential");
}

/** The one answer to a credential that is missing or wrong; why is for the log alone. */
export function unauthorized(logReason: string, cause?: unknown): ApiError {
  return new ApiError("unauthorized", "unauthorized", { logReason, cause });
}
