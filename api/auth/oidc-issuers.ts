import * as z from "zod";
import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from "#lib/signature-algorithms.ts";

/** One for each kind of key, so that a key which does not name its algorithm has but one (RFC 8725, 3.1). */
const DEFAULT_ALGORITHMS: readonly SignatureAlgorithm[] = ["RS256", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];

const claimName = z.string().min(1).max(256);
/** An empty name: the claim is not read. */
const claimNameOrNone = z.string().max(256);
const audience = z.string().min(1).max(2048);

const url = z
  .string()
  .max(2048)
  .regex(/^https?:\/\/[^\s/?#@\\]+(\/[^\s?#\\]*)?$/, "is not an http(s) URL without user, query and hash")
  .refine((text) => URL.canParse(text), "is not a URL");

const issuerSchema = z
  .strictObject({
    issuer: url,
    audience: z.union([audience.transform((one) => [one]), z.array(audience).min(1).max(16)], {
      error: "expects an audience, or a list of them",
    }),
    jwksUri: url.optional(),
    insecure: z.boolean().default(false),
    algorithms: z
      .array(z.enum(SIGNATURE_ALGORITHMS))
      .min(1)
      .default([...DEFAULT_ALGORITHMS]),
    userIdClaim: claimName.default("sub"),
    emailClaim: claimNameOrNone.optional(),
    emailVerifiedClaim: claimName.default("email_verified"),
    groupsClaim: claimNameOrNone.default("groups"),
    scopeClaim: claimName.optional(),
    subjectPrefix: z
      .string()
      .regex(/^[\x21-\x7e]{1,64}$/, "is not made of 1 to 64 visible ASCII characters")
      .optional(),
    sharesSubjectsWith: z.string().max(2048).optional(),
  })
  .check(({ value, issues }) => {
    for (const name of ["issuer", "jwksUri"] as const) {
      const text = value[name];
      if (text === undefined || value.insecure || !text.startsWith("http:") || isLoopback(text)) continue;
      issues.push({
        code: "custom",
        path: [name],
        message: "is not https; plain http is for loopback addresses, or with insecure: true",
        input: undefined,
      });
    }
  });
type IssuerSettings = z.output<typeof issuerSchema>;

/** The issuers as an operator lists them. */
export const issuersSchema = z
  .array(issuerSchema)
  .max(32)
  .check(({ value, issues }) => {
    for (const { path, message } of faultsBetween(value)) {
      issues.push({ code: "custom", path, message, input: undefined });
    }
  })
  .transform((all) => all.map((settings) => resolveIssuer(settings, all)));

/** An issuer of tokens, and what its word is taken for. */
export interface OidcIssuer {
  /** As its tokens and its discovery document name it, to the letter. */
  readonly issuer: string;
  /** Tokens for one of these are for us. */
  readonly audience: readonly string[];
  /** Where its keys are; undefined = where its discovery document says. */
  readonly jwksUri: string | undefined;
  /** Its documents may come by plain http. */
  readonly plainHttp: boolean;
  readonly algorithms: readonly SignatureAlgorithm[];
  readonly userIdClaim: string;
  /** Empty = it vouches for no address. */
  readonly emailClaim: string;
  readonly emailVerifiedClaim: string;
  /** Empty = it puts nobody into a group. */
  readonly groupsClaim: string;
  /** Scopes are those that this claim names; undefined = its users come in person and may do all. */
  readonly scopeClaim: string | undefined;
  /** Put before the user ids and groups it names. */
  readonly prefix: string;
  /** What its user ids and groups must not begin with: those are other issuers'. */
  readonly foreignPrefixes: readonly string[];
}

interface Fault {
  path: (string | number)[];
  message: string;
}

/**
 * What issuers must not be beside each other: nobody at one of them may be able to get a token for a user id of another.
 * See docs/adr/0014-user-ids-of-several-issuers.md.
 */
function faultsBetween(all: readonly IssuerSettings[]): Fault[] {
  const owners = all.filter(({ sharesSubjectsWith }) => sharesSubjectsWith === undefined);
  return all.flatMap((settings, index) => {
    const { issuer, emailClaim, sharesSubjectsWith, subjectPrefix } = settings;
    const before = all.slice(0, index);
    const ownersBefore = owners.filter((owner) => before.includes(owner));
    const faults: Fault[] = [];
    const add = (field: keyof IssuerSettings, message: string) => faults.push({ path: [index, field], message });
    if (before.some((other) => other.issuer === issuer)) add("issuer", "is listed twice");
    if (sharesSubjectsWith !== undefined) {
      if (!owners.some((owner) => owner.issuer === sharesSubjectsWith)) {
        add("sharesSubjectsWith", "is no other issuer of the list, or one that shares another's itself");
      }
      if (subjectPrefix !== undefined) add("subjectPrefix", "is the other issuer's where subjects are shared");
    } else if (subjectPrefix === undefined) {
      if (ownersBefore.some((owner) => owner.subjectPrefix === undefined)) {
        add("subjectPrefix", "is needed, as another issuer has none: their users would be mixed up");
      }
    } else if (ownersBefore.some((owner) => owner.subjectPrefix && overlap(owner.subjectPrefix, subjectPrefix))) {
      add("subjectPrefix", "begins another issuer's, or the other way round");
    }
    if (owners.length > 1 && emailClaim === undefined) {
      add("emailClaim", 'is needed with several issuers: the claim with addresses it may vouch for, or "" for none');
    }
    return faults;
  });
}

function overlap(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

function resolveIssuer(settings: IssuerSettings, all: readonly IssuerSettings[]): OidcIssuer {
  const { issuer, jwksUri, insecure, emailClaim, subjectPrefix, sharesSubjectsWith, scopeClaim, ...rest } = settings;
  const owner = all.find((other) => other.issuer === sharesSubjectsWith);
  const prefix = (owner?.subjectPrefix ?? subjectPrefix) || "";
  return {
    ...rest,
    issuer,
    jwksUri,
    plainHttp: insecure || issuer.startsWith("http:"),
    emailClaim: emailClaim ?? "email",
    scopeClaim,
    prefix,
    foreignPrefixes: all.flatMap((other) => other.subjectPrefix ?? []).filter((other) => other !== prefix),
  };
}

function isLoopback(text: string): boolean {
  return URL.canParse(text) && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(text).hostname);
}
