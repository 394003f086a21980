/** Why a bearer token proves nobody: the whole list, as in the log and, with underscores, in metrics. */
export const REFUSAL_REASONS = [
  "malformed",
  "no issuers configured",
  "wrong issuer",
  "alg none",
  "alg not allowed",
  "wrong type",
  "critical header",
  "unknown key",
  "bad signature",
  "wrong audience",
  "expired",
  "not yet valid",
  "missing claim",
  "bound to a key",
  "bad user id",
  "user id of another issuer",
  "issuer unavailable",
] as const;

/** One of {@link REFUSAL_REASONS}. */
export type RefusalReason = (typeof REFUSAL_REASONS)[number];

/** A token that is refused. */
export class TokenRefusal extends Error {
  override name = "TokenRefusal";
  readonly reason: RefusalReason;

  /** @param detail for the log: more on the reason, never a piece of a token that is not known to be its issuer's, unless shortened. */
  constructor(reason: RefusalReason, detail?: string) {
    super(detail === undefined ? reason : `${reason}: ${detail}`);
    this.reason = reason;
  }
}
