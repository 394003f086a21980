import { expect, it } from "vitest";
import * as z from "zod";
import { ConfigError, parseEnv } from "#lib/env.ts";
import { type OidcConfig, oidcConfig, oidcEnv } from "./oidc-env.ts";

const A = { issuer: "https://a.example.org", audience: "hatchery" };
const B = { issuer: "https://b.example.org", audience: "hatchery", subjectPrefix: "b:", emailClaim: "" };
const A2 = { ...A, emailClaim: "email" };

function read(issuers: unknown): OidcConfig {
  const text = typeof issuers === "string" ? issuers : JSON.stringify(issuers);
  return oidcConfig(parseEnv(z.object(oidcEnv), { OIDC_ISSUERS: text }));
}

it("needs an issuer's name and audience, and has defaults for the rest", () => {
  expect(read([A]).issuers).toEqual([
    {
      issuer: "https://a.example.org",
      audience: ["hatchery"],
      jwksUri: undefined,
      plainHttp: false,
      algorithms: ["RS256", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
      userIdClaim: "sub",
      emailClaim: "email",
      emailVerifiedClaim: "email_verified",
      groupsClaim: "groups",
      scopeClaim: undefined,
      prefix: "",
      foreignPrefixes: [],
    },
  ]);
  expect(read("").issuers).toEqual([]);
  expect(read([{ ...A, audience: ["x", "y"] }]).issuers[0]?.audience).toEqual(["x", "y"]);
});

it("tells each issuer which user ids are others'", () => {
  const third = { ...B, issuer: "https://c.example.org", subjectPrefix: "c:" };
  const alias = { ...A2, issuer: "https://a.example.org/other", sharesSubjectsWith: A.issuer };
  const aliasOfB = { ...A2, issuer: "https://b.example.org/other", sharesSubjectsWith: B.issuer };
  const found = read([A2, B, third, alias, aliasOfB]).issuers;
  expect(found.map(({ prefix, foreignPrefixes }) => [prefix, foreignPrefixes])).toEqual([
    ["", ["b:", "c:"]],
    ["b:", ["c:"]],
    ["c:", ["b:"]],
    ["", ["b:", "c:"]],
    ["b:", ["c:"]],
  ]);
  // Whichever stands first.
  expect(read([B, A2]).issuers.map(({ prefix }) => prefix)).toEqual(["b:", ""]);
});

it.each([
  ["http on loopback", { ...A, issuer: "http://127.0.0.1:3000" }],
  ["http on localhost", { ...A, issuer: "http://localhost:3000/realm" }],
  ["http on loopback of IPv6", { ...A, issuer: "http://[::1]:3000" }],
  ["http where that is said to be wanted", { ...A, issuer: "http://id.internal", insecure: true }],
])("allows %s", (_name, issuer) => {
  expect(read([issuer]).issuers[0]?.plainHttp).toBe(true);
});

it.each<[string, unknown, ...string[]]>([
  ["what is no JSON", "https://hunter2", "OIDC_ISSUERS: "],
  ["what is no list", A, "OIDC_ISSUERS: "],
  ["no audience", [{ issuer: A.issuer }], "[0].audience: expects an audience, or a list of them"],
  ["an empty audience", [{ ...A, audience: [] }], "[0].audience"],
  ["an issuer that is no URL", [{ ...A, issuer: "accounts" }], "[0].issuer: is not an http(s) URL"],
  ["an issuer with a user", [{ ...A, issuer: "https://u:hunter2@a.org" }], "[0].issuer: is not an http(s) URL"],
  ["an issuer with a query", [{ ...A, issuer: "https://a.org/?k=hunter2" }], "[0].issuer: is not an http(s) URL"],
  ["plain http", [{ ...A, issuer: "http://a.example.org" }], "[0].issuer: is not https"],
  ["a host that looks like loopback", [{ ...A, issuer: "http://127.0.0.1.evil.org" }], "[0].issuer: is not https"],
  ["keys by plain http", [{ ...A, jwksUri: "http://a.example.org/keys" }], "[0].jwksUri: is not https"],
  ["HMAC", [{ ...A, algorithms: ["HS256"] }], "[0].algorithms[0]: "],
  ["no signature at all", [{ ...A, algorithms: ["none"] }], "[0].algorithms[0]: "],
  ["no algorithm", [{ ...A, algorithms: [] }], "[0].algorithms: "],
  ["a field nobody knows", [{ ...A, clientSecret: "hunter2" }], '[0]: Unrecognized key: "clientSecret"'],
  ["a prefix that no user id can have", [{ ...A, subjectPrefix: "a b" }], "[0].subjectPrefix: is not made of"],
  ["one issuer twice", [A2, { ...B, issuer: A.issuer }], "[1].issuer: is listed twice"],
  ["two issuers whose users are mixed up", [A2, { ...A2, issuer: B.issuer }], "[1].subjectPrefix: is needed"],
  ["equal prefixes", [B, { ...B, issuer: A.issuer }], "[1].subjectPrefix: begins another"],
  ["a prefix that begins another", [B, { ...B, issuer: A.issuer, subjectPrefix: "b:c" }], "[1].subjectPrefix: begins"],
  ["a prefix that another begins", [B, { ...B, issuer: A.issuer, subjectPrefix: "b" }], "[1].subjectPrefix: begins"],
  ["subjects shared with nobody", [{ ...A, sharesSubjectsWith: "https://x.org" }], "[0].sharesSubjectsWith: is no"],
  ["subjects shared with itself", [{ ...A, sharesSubjectsWith: A.issuer }], "[0].sharesSubjectsWith: is no"],
  [
    "a prefix of its own where subjects are shared",
    [A2, { ...B, sharesSubjectsWith: A.issuer }],
    "[1].subjectPrefix: ",
  ],
  [
    "several issuers that vouch for addresses unasked",
    [A, { ...B, emailClaim: undefined }],
    "[0].emailClaim",
    "[1].emailClaim",
  ],
  [
    "several faults",
    [
      { ...A, issuer: "x" },
      { ...B, audience: 7, algorithms: ["x"] },
    ],
    "[0].issuer",
    "[1].audience",
    "[1].algorithms[0]",
  ],
])("refuses %s, and says where", (_name, issuers, ...where) => {
  expect(() => read(issuers)).toThrow(ConfigError);
  for (const part of where) expect(() => read(issuers)).toThrow(part);
  expect(() => read(issuers)).not.toThrow("hunter2");
});
