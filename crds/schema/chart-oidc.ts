import * as z from "zod";
import { SIGNATURE_ALGORITHMS } from "#lib/signature-algorithms.ts";
import { secretKey } from "./chart-database.ts";
import { atomicList } from "./collections.ts";
import { port } from "./scalars.ts";

const url = (what: string) =>
  z
    .string()
    .max(2048)
    .regex(/^https?:\/\/[^\s/?#@\\]+(\/[^\s?#\\]*)?$/, "is not an http(s) URL without user, query and hash")
    .describe(what);
const claim = (what: string) => z.string().min(1).max(256).optional().describe(what);
const claimOrNone = (what: string) => z.string().max(256).optional().describe(what);

/** What the API reads as `OIDC_ISSUERS`; it checks besides how issuers go together. */
const issuerSchema = z
  .strictObject({
    issuer: url("Its name, to the letter as tokens have it (`iss`)."),
    audience: atomicList(z.string().min(1).max(2048).describe("An audience."), 16)
      .min(1)
      .describe("Its tokens are for us when `aud` names one of these."),
    jwksUri: url("Where its keys are; where its discovery document says when absent.").optional(),
    insecure: z.boolean().optional().describe("Allow plain http."),
    algorithms: atomicList(z.enum(SIGNATURE_ALGORITHMS).describe("An algorithm."), 16)
      .min(1)
      .optional()
      .describe("How it signs; one algorithm for each kind of key (RS256, ES256, ...) when absent."),
    userIdClaim: claim("The claim with the user's id, which never becomes another user's; `sub` when absent."),
    emailClaim: claimOrNone("The claim with the e-mail address; `email` when absent, none when empty."),
    emailVerifiedClaim: claim("The address counts while this claim is true; `email_verified` when absent."),
    groupsClaim: claimOrNone("The claim with groups; `groups` when absent, none when empty."),
    scopeClaim: claim("The claim that says which of our scopes its users have; they have all when absent."),
    subjectPrefix: z
      .string()
      .max(64)
      .regex(/^[\x21-\x7e]{1,64}$/, "is not made of 1 to 64 visible ASCII characters")
      .optional()
      .describe("Put before its user ids and groups; all issuers but one need one."),
    sharesSubjectsWith: url("The issuer whose users are the same, with the same ids.").optional(),
  })
  .describe("An issuer of tokens.");

/** Sign-in by OIDC. */
export const oidcSchema = z
  .strictObject({
    issuers: atomicList(issuerSchema, 32).describe("Issuers whose tokens sign users in; none when empty."),
    clockLeewaySeconds: z.int().min(0).max(300).describe("How far clocks may differ."),
    keyRefreshSeconds: z
      .int()
      .min(10)
      .max(86_400)
      .describe("How often their keys are fetched: a key that was removed is good for so long yet."),
    maxTokenAgeSeconds: z.int().min(60).max(2_592_000).describe("No token is good for longer after it was issued."),
    caSecret: secretKey(
      "Name of the Secret, in the namespace of the release; empty when public authorities vouch for all issuers.",
      "Holds authorities, as PEM, that vouch for issuers' certificates beside the public ones.",
    ),
    ports: atomicList(port().describe("A port."), 16).describe(
      "Ports of issuers beside those of their URLs, such as the ports of in-cluster issuers' pods.",
    ),
  })
  .describe("Sign-in by OIDC.");
