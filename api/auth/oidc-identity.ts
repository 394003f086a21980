import type { JWTPayload } from "jose";
import { defined } from "#lib/defined.ts";
import { normalizeEmail } from "./email.ts";
import type { Identity } from "./identity.ts";
import type { OidcIssuer } from "./oidc-issuers.ts";
import { TokenRefusal } from "./oidc-refusal.ts";
import { quote } from "./oidc-token.ts";
import { ALL_SCOPES, parseScopes, type Scope } from "./scopes.ts";

/** The ids that first-party servers may name too: what a header carries unharmed. */
const USER_ID = /^[\x21-\x7e]{1,256}$/;

/**
 * Who a verified token is of.
 * @throws TokenRefusal when its user id is none, or would be taken for one of another issuer's.
 */
export function identityOf(claims: JWTPayload, issuer: OidcIssuer): Identity {
  return defined<Identity>({
    scheme: "oidc",
    tenant: { kind: "Human", subject: userIdOf(claims, issuer) },
    scopes: scopesOf(claims, issuer),
    email: emailOf(claims, issuer),
    groups: groupsOf(claims, issuer),
    owner: undefined,
    credentialId: undefined,
  });
}

function userIdOf(claims: JWTPayload, { userIdClaim, prefix, foreignPrefixes }: OidcIssuer): string {
  const value = own(claims, userIdClaim);
  if (value === undefined) throw new TokenRefusal("missing claim", userIdClaim);
  const userId = typeof value === "string" && value !== "" ? `${prefix}${value}` : "";
  if (!USER_ID.test(userId)) throw new TokenRefusal("bad user id", `${userIdClaim} is ${quote(value)}`);
  if (foreignPrefixes.some((foreign) => userId.startsWith(foreign))) {
    throw new TokenRefusal("user id of another issuer", quote(userId));
  }
  return userId;
}

/** The address, if the issuer has seen that it is the user's; some write `"true"`. */
function emailOf(claims: JWTPayload, { emailClaim, emailVerifiedClaim }: OidcIssuer): string | undefined {
  const email = own(claims, emailClaim);
  const verified = own(claims, emailVerifiedClaim);
  if (typeof email !== "string" || (verified !== true && verified !== "true")) return undefined;
  return normalizeEmail(email);
}

/** Groups, told apart by issuer as user ids are: one's `admins` are not another's. */
function groupsOf(claims: JWTPayload, { groupsClaim, prefix, foreignPrefixes }: OidcIssuer): string[] | undefined {
  const value = own(claims, groupsClaim);
  if (value === undefined) return undefined;
  return [value]
    .flat()
    .filter((group) => typeof group === "string")
    .map((group) => `${prefix}${group}`)
    .filter((group) => !foreignPrefixes.some((foreign) => group.startsWith(foreign)));
}

function scopesOf(claims: JWTPayload, { scopeClaim }: OidcIssuer): ReadonlySet<Scope> {
  if (scopeClaim === undefined) return ALL_SCOPES;
  const value = own(claims, scopeClaim);
  const words = typeof value === "string" ? value.split(" ") : [value].flat();
  return parseScopes(words.filter((word) => typeof word === "string"));
}

/** What a claim says; a claim without a name says nothing. */
function own(claims: JWTPayload, name: string): unknown {
  return name !== "" && Object.hasOwn(claims, name) ? claims[name] : undefined;
}
