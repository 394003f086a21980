import { createHmac } from "node:crypto";
import { exportSPKI, importJWK } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import {
  forgeToken,
  newSigningKey,
  type SigningKey,
  signBytes,
  signToken,
  startIssuer,
  type TestIssuer,
} from "../testing/issuer.fixture.ts";
import { type SignIn, signInBy } from "../testing/sign-in.fixture.ts";
import { authenticate } from "./authenticator.ts";
import { ALL_SCOPES } from "./scopes.ts";

const AUDIENCE = "https://hatchery.example.org";
const clock = new ManualClock();
const now = clock.now() / 1000;
let ec: SigningKey;
let rsa: SigningKey;
let stranger: SigningKey;
let issuer: TestIssuer;
let signIn: SignIn;

beforeAll(async () => {
  [ec, rsa, stranger] = await Promise.all([newSigningKey("ec"), newSigningKey("rsa", "RS256"), newSigningKey("ec")]);
  issuer = await startIssuer(ec, rsa);
  signIn = signInBy(clock, [{ issuer: issuer.url, audience: [AUDIENCE, "other"] }]);
});

afterAll(async () => {
  await signIn[Symbol.asyncDispose]();
  await issuer[Symbol.asyncDispose]();
});

/** Claims that are fine but for what is said. */
function claims(but: object = {}): object {
  return { iss: issuer.url, aud: AUDIENCE, sub: "user_01H", iat: now, exp: now + 300, ...but };
}

const ask = (...authorization: string[]) => authenticate([signIn.oidc.authenticator], { authorization });

describe("a token of an issuer", () => {
  it("tells whose it is", async () => {
    const identity = { scheme: "oidc", tenant: { kind: "Human", subject: "user_01H" }, scopes: ALL_SCOPES };
    expect(await signIn.identify(await signToken(ec, claims()))).toEqual(identity);
    expect(await signIn.identify(await signToken(rsa, claims()))).toEqual(identity);
    expect(await ask(`bearer   ${await signToken(ec, claims())}`)).toEqual(identity);
  });

  it.each<[string, () => object, object?]>([
    ["one of several audiences", () => ({ aud: ["x", "other"] })],
    ["no type", () => ({}), { typ: undefined }],
    ["the type JWT", () => ({}), { typ: "jwt" }],
    ["the long type", () => ({}), { typ: "application/AT+JWT" }],
    ["an end less than the leeway ago", () => ({ exp: now - 59 })],
    ["a beginning in less than the leeway", () => ({ nbf: now + 60, iat: now + 60 })],
    ["a claim of 10 kB", () => ({ roles: "x".repeat(10_000) })],
    ["an id of 256 characters", () => ({ sub: `auth0|${"x".repeat(250)}` })],
  ])("may have %s", async (_name, but, header = {}) => {
    expect(await signIn.identify(await signToken(ec, claims(but()), header))).toMatchObject({ scheme: "oidc" });
  });

  it.each([
    [[]],
    [["Basic dXNlcjpwYXNz"]],
    [["Agent oak_live_1"]],
    [["Bearer oa_live_1"]],
    [["bearer oa_live_1"]],
    [["Bearers x"]],
    [["Bearer"]],
    [["Bearer "]],
    [["Bearer a.b.c, Bearer a.b.c"]],
  ])("is not what is sent in %j", async (values) => {
    await expect(ask(...values)).rejects.toMatchObject({ code: "unauthorized", logReason: "no credential" });
  });
});

describe("refused is", () => {
  it.each<[string, string, () => string | Promise<string>]>([
    ["what is no JWT", "malformed", () => "hello"],
    ["an encrypted token", "malformed", () => "eyJhbGciOiJkaXIifQ..a.b.c"],
    ["what has no header", "malformed", () => `e30x.${forgeToken({}, claims()).split(".")[1]}.x`],
    ["what has no claims", "malformed", () => signBytes(ec, "[1]")],
    ["a token of nobody", "missing claim", () => signToken(ec, claims({ iss: undefined }))],
    ["a token of another issuer", "wrong issuer", () => signToken(ec, claims({ iss: "https://evil.example.org" }))],
    ["an issuer with a slash more", "wrong issuer", () => signToken(ec, claims({ iss: `${issuer.url}/` }))],
    ["no signature", "alg none", () => forgeToken({ alg: "none", kid: "ec" }, claims())],
    ["no signature, spelt otherwise", "alg none", () => forgeToken({ alg: "nOnE", kid: "ec" }, claims())],
    ["no algorithm", "alg not allowed", () => forgeToken({ kid: "ec" }, claims(), "x")],
    ["an algorithm nobody knows", "alg not allowed", () => forgeToken({ alg: "RS257", kid: "rsa" }, claims(), "x")],
    ["an algorithm not agreed on", "alg not allowed", () => forgeToken({ alg: "RS512", kid: "rsa" }, claims(), "x")],
    ["another algorithm than the key's", "unknown key", () => forgeToken({ alg: "ES256", kid: "rsa" }, claims(), "x")],
    ["a logout token", "wrong type", () => signToken(ec, claims(), { typ: "logout+jwt" })],
    ["a logout token that says it is a JWT", "wrong type", () => signToken(ec, claims({ events: {} }), { typ: "JWT" })],
    ["a type that is no text", "wrong type", () => forgeToken({ alg: "ES256", kid: "ec", typ: 7 }, claims(), "x")],
    [
      "an extension",
      "critical header",
      () => forgeToken({ alg: "ES256", kid: "ec", crit: ["x"], x: 1 }, claims(), "x"),
    ],
    [
      "an unencoded payload",
      "critical header",
      () => forgeToken({ alg: "ES256", kid: "ec", crit: ["b64"], b64: false }, claims(), "x"),
    ],
    ["a key id that is no text", "malformed", () => forgeToken({ alg: "ES256", kid: ["ec"] }, claims(), "x")],
    ["a key nobody knows", "unknown key", () => signToken({ ...ec, kid: "new" }, claims())],
    ["somebody else's signature", "bad signature", () => signToken(stranger, claims())],
    ["a signature cut off", "bad signature", async () => (await signToken(ec, claims())).slice(0, -8)],
    ["a stripped signature", "bad signature", async () => (await signToken(ec, claims())).replace(/[^.]+$/, "")],
    ["another audience", "wrong audience", () => signToken(ec, claims({ aud: "https://hatchery.example.org/" }))],
    ["no audience", "wrong audience", () => signToken(ec, claims({ aud: undefined }))],
    ["an audience within a text", "wrong audience", () => signToken(ec, claims({ aud: `${AUDIENCE},x` }))],
    ["what is over", "expired", () => signToken(ec, claims({ exp: now - 60 }))],
    ["what was made a day ago", "expired", () => signToken(ec, claims({ iat: now - 86_461 }))],
    ["what has not begun", "not yet valid", () => signToken(ec, claims({ nbf: now + 61 }))],
    ["what is made in the future", "not yet valid", () => signToken(ec, claims({ iat: now + 61 }))],
    ["an end that is no number", "malformed", () => signToken(ec, claims({ exp: String(now + 300) }))],
    ["what never ends", "missing claim", () => signToken(ec, claims({ exp: undefined }))],
    ["what does not say when it was made", "missing claim", () => signToken(ec, claims({ iat: undefined }))],
    ["what needs proof of a key", "bound to a key", () => signToken(ec, claims({ cnf: { jkt: "x" } }))],
    ["nobody in particular", "missing claim", () => signToken(ec, claims({ sub: undefined }))],
    ["an empty id", "bad user id", () => signToken(ec, claims({ sub: "" }))],
    ["an id with a line end", "bad user id", () => signToken(ec, claims({ sub: "a\r\nx-oa-user-id: root" }))],
    ["an id that ends in a line end", "bad user id", () => signToken(ec, claims({ sub: "root\n" }))],
    ["an id with a space", "bad user id", () => signToken(ec, claims({ sub: "a b" }))],
    ["an id beyond ASCII", "bad user id", () => signToken(ec, claims({ sub: "é" }))],
    ["an endless id", "bad user id", () => signToken(ec, claims({ sub: "x".repeat(257) }))],
    ["an id of 10 kB", "bad user id", () => signToken(ec, claims({ sub: "x".repeat(10_000) }))],
    ["an id that is no text", "bad user id", () => signBytes(ec, JSON.stringify({ ...claims(), sub: 7 }))],
  ])("%s: %s", async (_name, reason, make) => {
    const token = await make();
    const label = `scheme="oidc",reason="${reason.replaceAll(" ", "_")}"`;
    const before = await countOf(label);
    const refusal = await signIn.refusalOf(token);
    // Whatever it is, the caller learns one thing alone.
    expect(refusal).toMatchObject({ code: "unauthorized", message: "unauthorized" });
    expect(refusal.logReason.split(":")[0]).toBe(reason);
    expect(refusal.logReason).not.toContain(token);
    expect(refusal.logReason.length).toBeLessThan(400);
    expect(await countOf(label)).toBe(before + 1);
  });

  it("a public key that is used as a shared secret", async () => {
    for (const secret of [
      await exportSPKI(await publicKeyOf(rsa)),
      JSON.stringify(rsa.publicJwk),
      rsa.publicJwk.n ?? "",
    ]) {
      const unsigned = forgeToken({ alg: "HS256", kid: "rsa" }, claims()).slice(0, -1);
      const mac = createHmac("sha256", secret).update(unsigned).digest("base64url");
      expect((await signIn.refusalOf(`${unsigned}.${mac}`)).logReason).toBe('alg not allowed: "HS256"');
    }
  });

  it("a key that the token brings along, or says where to find", async () => {
    await using evil = await startIssuer(stranger);
    const headers = { jwk: stranger.publicJwk, jku: `${evil.url}/keys`, x5u: `${evil.url}/keys`, x5c: ["x"] };
    expect((await signIn.refusalOf(await signToken(stranger, claims(), headers))).logReason).toBe("bad signature");
    expect(
      (await signIn.refusalOf(await signToken(stranger, claims(), { ...headers, kid: undefined }))).logReason,
    ).toBe("bad signature");
    expect(evil.asked()).toEqual([]);
  });
});

it("refuses every token where no issuer is configured", async () => {
  await using none = signInBy(clock, []);
  expect(await none.refusalOf(await signToken(ec, claims()))).toMatchObject({
    code: "unauthorized",
    logReason: "no issuers configured",
  });
});

async function publicKeyOf({ publicJwk, alg }: SigningKey) {
  const key = await importJWK(publicJwk, alg, { extractable: true });
  if (key instanceof Uint8Array) throw new Error("a secret");
  return key;
}

/** How often refusals with these labels were counted. */
async function countOf(labels: string): Promise<number> {
  const text = await signIn.registry.metrics();
  const line = text.split("\n").find((one) => one.startsWith(`hatchery_auth_refusals_total{${labels}}`));
  return Number(line?.split(" ").at(-1));
}
