import type { Tenant } from "#crds/index.ts";
import type { Scope } from "./scopes.ts";

/** The kinds of credentials. */
export const SCHEMES = ["internal-key", "oidc", "api-token", "agent-key"] as const;

/** One of {@link SCHEMES}. */
export type Scheme = (typeof SCHEMES)[number];

/** Who calls, as far as the credential proves it. */
export interface Identity {
  readonly scheme: Scheme;
  /** Whose OpenClaw it is. */
  readonly tenant: Tenant;
  /** The human who answers for an agent; absent for humans, and for agents that nobody owns. */
  readonly owner?: Tenant;
  readonly scopes: ReadonlySet<Scope>;
  /** Lower case; present only if somebody we trust vouches for it. */
  readonly email?: string;
  /** Groups that the identity provider names. */
  readonly groups?: readonly string[];
  /** Public id of the token or key. */
  readonly credentialId?: string;
}
