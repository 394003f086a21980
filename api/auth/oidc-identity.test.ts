import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { newSigningKey, type SigningKey, signToken, startIssuer, type TestIssuer } from "../testing/issuer.fixture.ts";
import { signInBy } from "../testing/sign-in.fixture.ts";

const clock = new ManualClock();
const now = clock.now() / 1000;
let key: SigningKey;
let issuer: TestIssuer;
let otherKey: SigningKey;
let other: TestIssuer;

beforeAll(async () => {
  [key, otherKey] = await Promise.all([newSigningKey("k"), newSigningKey("k")]);
  [issuer, other] = await Promise.all([startIssuer(key), startIssuer(otherKey)]);
});

afterAll(async () => {
  await Promise.all([issuer[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
});

function token(but: object, from = issuer, by = key): Promise<string> {
  return signToken(by, { iss: from.url, aud: "hatchery", sub: "ann", iat: now, exp: now + 300, ...but });
}

/** Who a token with these claims is of, where the issuer is configured like this. */
async function identify(but: object, settings: object = {}) {
  await using signIn = signInBy(clock, [{ issuer: issuer.url, audience: "hatchery", ...settings }]);
  return await signIn.identify(await token(but));
}

const ANN = "Ann@Example.org";

describe("an address", () => {
  it.each<[object, object?]>([
    [{ email: ANN, email_verified: true }],
    [{ email: ANN, email_verified: "true" }],
    [
      { mail: ` ${ANN} `, seen: true },
      { emailClaim: "mail", emailVerifiedClaim: "seen" },
    ],
  ])("counts that the issuer has verified: %j", async (but, settings = {}) => {
    expect(await identify(but, settings)).toMatchObject({ email: "ann@example.org" });
  });

  it.each<[object, object?]>([
    [{ email: ANN }],
    [{ email: ANN, email_verified: false }],
    [{ email: ANN, email_verified: "false" }],
    [{ email: ANN, email_verified: 1 }],
    [{ email: ANN, email_verified: "TRUE" }],
    [{ email: ANN, email_verified: [true] }],
    [{ email: [ANN], email_verified: true }],
    [{ email: "ann", email_verified: true }],
    [{ email: "ann@example.org\r\nx: y", email_verified: true }],
    [{ email: `${"a".repeat(10_000)}@example.org`, email_verified: true }],
    [{ email: ANN, email_verified: true }, { emailClaim: "" }],
    [{ email_verified: true }],
  ])("does not count otherwise, and its user signs in without: %#", async (but, settings = {}) => {
    const identity = await identify(but, settings);
    expect(identity?.tenant.subject).toBe("ann");
    expect(identity).not.toHaveProperty("email");
  });
});

describe("groups", () => {
  it.each<[object, string[], object?]>([
    [{ groups: ["a", "b c"] }, ["a", "b c"]],
    [{ groups: "a" }, ["a"]],
    [{ groups: ["a", 7, null, ["b"], { c: 1 }] }, ["a"]],
    [{ groups: [] }, []],
    [{ groups: 7 }, []],
    [{ groups: "b", "https://example.org/roles": ["a"] }, ["a"], { groupsClaim: "https://example.org/roles" }],
  ])("of %j are %j", async (but, groups, settings = {}) => {
    expect(await identify(but, settings)).toMatchObject({ groups });
  });

  it("are none where there is no claim, or it is not to be read", async () => {
    expect(await identify({})).not.toHaveProperty("groups");
    expect(await identify({ groups: ["a"] }, { groupsClaim: "" })).not.toHaveProperty("groups");
    expect(await identify({}, { groupsClaim: "constructor" })).not.toHaveProperty("groups");
  });
});

describe("scopes", () => {
  it.each<[object, string[]]>([
    [{ scope: "openid openclaw:read openclaw:chat" }, ["openclaw:read", "openclaw:chat"]],
    [{ scope: ["openclaw:write", "everything"] }, ["openclaw:write"]],
    [{ scope: "openid" }, []],
    [{ scope: 7 }, []],
    [{}, []],
  ])("of %j are %j where the issuer decides on them", async (but, scopes) => {
    const identity = await identify(but, { scopeClaim: "scope" });
    expect([...(identity?.scopes ?? ["?"])]).toEqual(scopes);
  });

  it("are all where it does not", async () => {
    expect((await identify({ scope: "openid" }))?.scopes.size).toBe(4);
  });
});

it("takes the user id from the claim that is said", async () => {
  expect(await identify({ oid: "1-2" }, { userIdClaim: "oid" })).toMatchObject({ tenant: { subject: "1-2" } });
});

describe("two issuers", () => {
  const entry = (of: TestIssuer, more: object) => ({ issuer: of.url, audience: "hatchery", emailClaim: "", ...more });
  const both = () => signInBy(clock, [entry(issuer, {}), entry(other, { subjectPrefix: "b:" })]);

  it("with the same user id have two users", async () => {
    await using signIn = both();
    expect(await signIn.identify(await token({}))).toMatchObject({ tenant: { subject: "ann" } });
    expect(await signIn.identify(await token({}, other, otherKey))).toMatchObject({ tenant: { subject: "b:ann" } });
  });

  it("can't make a user of the other's", async () => {
    await using signIn = both();
    const refusals = await Promise.all(
      [
        await token({ sub: "b:ann" }),
        await token({ iss: other.url }),
        await token({ iss: issuer.url }, other, otherKey),
        await token({ sub: "x".repeat(255) }, other, otherKey),
      ].map((text) => signIn.refusalOf(text)),
    );
    expect(refusals.map(({ logReason }) => logReason.split(":")[0])).toEqual([
      "user id of another issuer",
      "bad signature",
      "bad signature",
      "bad user id",
    ]);
  });

  it("can't put anybody into a group of the other's", async () => {
    await using signIn = both();
    expect(await signIn.identify(await token({ groups: ["admins", "b:admins"] }))).toMatchObject({
      groups: ["admins"],
    });
    expect(await signIn.identify(await token({ groups: ["admins"] }, other, otherKey))).toMatchObject({
      groups: ["b:admins"],
    });
  });

  it("have the same users where that is said", async () => {
    await using signIn = signInBy(clock, [entry(issuer, {}), entry(other, { sharesSubjectsWith: issuer.url })]);
    expect(await signIn.identify(await token({}, other, otherKey))).toMatchObject({ tenant: { subject: "ann" } });
  });

  it("are each asked for keys of their own alone", async () => {
    await using signIn = both();
    const asked = other.asked().length;
    await signIn.identify(await token({}));
    expect(other.asked()).toHaveLength(asked);
  });
});
