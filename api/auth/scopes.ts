/** What a credential may be used for. */
export const SCOPES = ["openclaw:read", "openclaw:write", "openclaw:chat", "admin"] as const;

/** One of {@link SCOPES}. */
export type Scope = (typeof SCOPES)[number];

/** What somebody who is here in person may do; `admin` is of use to admins only. */
export const ALL_SCOPES: ReadonlySet<Scope> = new Set(SCOPES);

/** What a new agent key may be used for unless its maker says otherwise. */
export const DEFAULT_AGENT_SCOPES: readonly Scope[] = ["openclaw:read", "openclaw:write"];

/** The scopes among these words; others, from a newer version or a changed mind, count for nothing. */
export function parseScopes(words: readonly string[]): ReadonlySet<Scope> {
  return new Set(SCOPES.filter((scope) => words.includes(scope)));
}
