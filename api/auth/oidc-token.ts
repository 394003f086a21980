import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
} from "jose";
import { shorten } from "#lib/shorten.ts";
import type { OidcIssuer } from "./oidc-issuers.ts";
import type { KeyHint, VerificationKey } from "./oidc-key-set.ts";
import { type RefusalReason, TokenRefusal } from "./oidc-refusal.ts";

/** A signed token in compact form; an unsigned one has nothing behind its second dot. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;
/** Names of what an issuer signs for us (RFC 9068, 4); many leave it out or say `JWT`. */
const TYPES: ReadonlySet<unknown> = new Set([undefined, "jwt", "at+jwt", "application/at+jwt"]);
/** Of a stranger's text, at most this much goes to the log. */
const MAX_QUOTE = 200;

/** A token as it presents itself: nothing of it is known to be true. */
export interface PresentedToken {
  readonly text: string;
  /** Whom it claims to be from. */
  readonly issuer: string;
  readonly header: ProtectedHeaderParameters;
}

/** Takes a token apart. @throws TokenRefusal when it is none. */
export function readToken(text: string): PresentedToken {
  if (!COMPACT.test(text)) throw new TokenRefusal("malformed", "not a signed JWT");
  try {
    const header = decodeProtectedHeader(text);
    const { iss } = decodeJwt(text);
    if (typeof iss === "string") return { text, issuer: iss, header };
  } catch {
    throw new TokenRefusal("malformed", "not a JWT");
  }
  throw new TokenRefusal("missing claim", "iss");
}

/**
 * What a token's header says of its key. Only `kid` is looked at: keys that a header brings along, or says where to fetch (`jwk`,
 * `jku`, `x5c`, `x5u`), are its author's (RFC 8725, 3.10).
 * @throws TokenRefusal for an algorithm that the issuer is not known to use, for another kind of token than those that sign
 * somebody in (RFC 8725, 3.11), and for extensions that must be understood.
 */
export function readKeyHint({ header }: PresentedToken, { algorithms }: OidcIssuer): KeyHint {
  const { alg: name, typ, kid } = header;
  if (typeof name === "string" && name.toLowerCase() === "none") throw new TokenRefusal("alg none");
  const alg = algorithms.find((allowed) => allowed === name);
  if (!alg) throw new TokenRefusal("alg not allowed", quote(name));
  if (!TYPES.has(typeof typ === "string" ? typ.toLowerCase() : typ)) throw new TokenRefusal("wrong type", quote(typ));
  if ("crit" in header) throw new TokenRefusal("critical header", quote(header.crit));
  if (kid !== undefined && typeof kid !== "string") throw new TokenRefusal("malformed", "kid");
  return { alg, kid };
}

/** What is checked beside the signature. */
export interface Checks {
  readonly now: Date;
  readonly leewaySeconds: number;
  readonly maxTokenAgeSeconds: number;
}

/** Claims that any token accepted here has. */
export type Claims = JWTPayload & { readonly exp: number; readonly iat: number };

/**
 * The claims of a token that its issuer signed, for us, and that is good now. Which client asked for it (`azp`, `client_id`) is the
 * issuer's business: the audience says for whom it is (RFC 9068, 4).
 * @throws TokenRefusal
 */
export async function verifyToken(
  { text }: PresentedToken,
  { issuer, audience, algorithms }: OidcIssuer,
  { jwk }: VerificationKey,
  { now, leewaySeconds, maxTokenAgeSeconds }: Checks,
): Promise<Claims> {
  const { payload } = await jwtVerify(text, jwk, {
    algorithms: [...algorithms],
    issuer,
    audience: [...audience],
    clockTolerance: leewaySeconds,
    maxTokenAge: maxTokenAgeSeconds,
    currentDate: now,
  }).catch((error: unknown) => {
    throw refusalOf(error);
  });
  const { exp, iat } = payload;
  if (exp === undefined || iat === undefined) throw new TokenRefusal("missing claim", "exp, iat");
  // A thief has no use for a token that is bound to a key; taking it as a bearer token would give him one (RFC 9449, 7.2).
  if ("cnf" in payload) throw new TokenRefusal("bound to a key");
  // Logout tokens have the same issuer, key and audience, and not all say so in their header.
  if ("events" in payload) throw new TokenRefusal("wrong type", "a security event");
  return { ...payload, exp, iat };
}

/** jose's errors in our words; another error is a fault of ours and is passed on. */
function refusalOf(error: unknown): unknown {
  if (error instanceof errors.JWSSignatureVerificationFailed) return new TokenRefusal("bad signature");
  if (error instanceof errors.JWTExpired) return new TokenRefusal("expired", error.claim);
  if (error instanceof errors.JWTClaimValidationFailed) return claimRefusal(error);
  return error instanceof errors.JOSEError ? new TokenRefusal("malformed", error.code) : error;
}

const REASON_OF_CLAIM: Readonly<Record<string, RefusalReason>> = {
  aud: "wrong audience",
  iss: "wrong issuer",
  nbf: "not yet valid",
  iat: "not yet valid",
};

function claimRefusal({ claim, reason, payload }: errors.JWTClaimValidationFailed): TokenRefusal {
  if (claim === "aud") return new TokenRefusal("wrong audience", quote(payload.aud));
  if (reason === "missing") return new TokenRefusal("missing claim", claim);
  const known = reason === "check_failed" ? REASON_OF_CLAIM[claim] : undefined;
  return new TokenRefusal(known ?? "malformed", claim);
}

/** A piece of a token, for the log. */
export function quote(value: unknown): string {
  return shorten(JSON.stringify(value) ?? "absent", MAX_QUOTE);
}
