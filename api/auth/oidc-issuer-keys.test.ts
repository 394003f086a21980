import { exportJWK, generateKeyPair } from "jose";
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Clock } from "#lib/clock.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { eventually } from "../testing/eventually.ts";
import {
  forgeToken,
  KEYS_PATH,
  newSigningKey,
  type SigningKey,
  signToken,
  startIssuer,
  type TestIssuer,
} from "../testing/issuer.fixture.ts";
import { sendJson } from "../testing/scripted-gateway.ts";
import { type SignIn, signInBy } from "../testing/sign-in.fixture.ts";
import { DOCUMENT_TIMEOUT_MS, MAX_DOCUMENT_BYTES } from "./oidc-document.ts";
import { COOLDOWN_MS, USABLE_MS } from "./oidc-issuer-keys.ts";

const REFRESH_MS = 300_000;
let old: SigningKey;
let next: SigningKey;
let clock: ManualClock;
let issuer: TestIssuer;
let signIn: SignIn;

beforeAll(async () => {
  [old, next] = await Promise.all([newSigningKey("old"), newSigningKey("next")]);
});

beforeEach(async () => {
  clock = new ManualClock();
  issuer = await startIssuer(old);
  signIn = signInBy(clock, [{ issuer: issuer.url, audience: "hatchery" }]);
  return async () => {
    await signIn[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
  };
});

/** A fresh token; each has an id, so that none was seen before. */
let tokens = 0;
function token(by = old, but: object = {}, header: object = {}): Promise<string> {
  const now = Math.floor(clock.now() / 1000);
  return signToken(
    by,
    { iss: issuer.url, aud: "hatchery", sub: "ann", iat: now, exp: now + 3600, jti: `${++tokens}`, ...but },
    header,
  );
}

const ANN = { tenant: { subject: "ann" } };
const keyFetches = () => issuer.asked().filter((path) => path === KEYS_PATH).length;
const isUp = async () => /hatchery_oidc_issuer_up\{.*\} (\d)/.exec(await signIn.registry.metrics())?.[1];

/** Keeps the keys fresh until the test ends. */
function run({ oidc } = signIn): void {
  const stopped = new AbortController();
  const running = oidc.run(stopped.signal);
  onTestFinished(async () => {
    stopped.abort();
    await running;
  });
}

/** As {@link run}, until they are known. */
async function runUntilKnown(): Promise<void> {
  run();
  await eventually(() => signIn.oidc.fault()).toBeUndefined();
}

describe("an issuer's keys", () => {
  it("are fetched once for many tokens", async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => token()));
    await Promise.all(made.map((text) => signIn.identify(text)));
    expect(issuer.asked()).toEqual(["/.well-known/openid-configuration", KEYS_PATH]);
    expect(await isUp()).toBe("1");
  });

  it("come from where the configuration says", async () => {
    await using direct = signInBy(clock, [
      { issuer: "https://id.invalid", jwksUri: `${issuer.url}${KEYS_PATH}`, audience: "hatchery" },
    ]);
    expect(await direct.identify(await token(old, { iss: "https://id.invalid" }))).toMatchObject(ANN);
    expect(issuer.asked()).toEqual([KEYS_PATH]);
  });

  it("are fetched again for a key that is new, and the old one's tokens end with it", async () => {
    const before = await token();
    await signIn.identify(before);
    issuer.publish([next.publicJwk]);
    // Remembered, as nobody has asked since.
    expect(await signIn.identify(before)).toMatchObject(ANN);
    await clock.advance(COOLDOWN_MS);
    expect(await signIn.identify(await token(next))).toMatchObject(ANN);
    expect((await signIn.refusalOf(before)).logReason).toMatch(/^unknown key: /);
    expect((await signIn.refusalOf(await token())).logReason).toMatch(/^unknown key: /);
  });

  it("are refreshed by themselves, so that a withdrawn key's tokens end", async () => {
    await runUntilKnown();
    const before = await token();
    await signIn.identify(before);
    issuer.publish([next.publicJwk]);
    await clock.advance(REFRESH_MS - 1);
    expect(await signIn.identify(before)).toMatchObject(ANN);
    await clock.advance(1);
    await eventually(() => signIn.identify(before).catch(({ logReason }) => logReason)).toMatch(/^unknown key: /);
  });

  it("are not fetched for each key that somebody invents", async () => {
    await signIn.identify(await token());
    const storm = async () => {
      const invented = Array.from({ length: 100 }, (_, n) => token(next, {}, { kid: `${tokens}-${n}` }));
      const refusals = await Promise.all((await Promise.all(invented)).map((text) => signIn.refusalOf(text)));
      for (const { code, logReason } of refusals)
        expect([code, logReason.slice(0, 11)]).toEqual(["unauthorized", "unknown key"]);
    };
    await storm();
    expect(keyFetches()).toBe(1);
    await clock.advance(COOLDOWN_MS);
    await storm();
    await storm();
    expect(keyFetches()).toBe(2);
    // Whom the storm is nothing to sign in all the same.
    expect(await signIn.identify(await token())).toMatchObject(ANN);
  });

  it("fit a token without a key id if there is but one", async () => {
    expect(await signIn.identify(await token(old, {}, { kid: undefined }))).toMatchObject(ANN);
    issuer.publish([old.publicJwk, next.publicJwk]);
    await clock.advance(COOLDOWN_MS);
    await signIn.identify(await token(next));
    expect((await signIn.refusalOf(await token(old, {}, { kid: undefined }))).logReason).toMatch(/^unknown key: /);
  });

  it("are used with the algorithm that they name alone", async () => {
    const rsa = await newSigningKey("rsa", "RS256");
    issuer.publish([rsa.publicJwk]);
    await using both = signInBy(clock, [{ issuer: issuer.url, audience: "hatchery", algorithms: ["RS256", "PS256"] }]);
    expect(await both.identify(await token(rsa))).toMatchObject(ANN);
    const other = forgeToken({ alg: "PS256", kid: "rsa" }, { iss: issuer.url }, "x");
    expect((await both.refusalOf(other)).logReason).toMatch(/^unknown key: /);
  });

  it("are those alone that are good for signatures", async () => {
    const weak = await generateKeyPair("RS256", { modulusLength: 2048, extractable: true });
    const secret = { kty: "oct", kid: "oct", k: "c2VjcmV0", alg: "HS256" };
    const usable = await newSigningKey("rsa", "RS256");
    issuer.publish([
      secret,
      { ...old.publicJwk, kid: "enc", use: "enc" },
      { ...old.publicJwk, kid: "ops", key_ops: ["sign"] },
      { ...(await exportJWK(old.privateKey)), kid: "private" },
      { ...old.publicJwk, kid: "broken", x: "AA" },
      { ...old.publicJwk, kid: "alg", alg: "ECDH-ES" },
      { ...usable.publicJwk, kid: "small", n: "sXch" },
      { ...(await exportJWK(weak.publicKey)), kid: 7 as unknown as string },
      "no object" as unknown as object,
      usable.publicJwk,
    ]);
    expect(await signIn.identify(await token(usable))).toMatchObject(ANN);
    for (const kid of ["enc", "ops", "private", "broken", "alg"]) {
      expect((await signIn.refusalOf(await token(old, {}, { kid }))).logReason).toMatch(/^unknown key: /);
    }
    expect((await signIn.refusalOf(await token(usable, {}, { kid: "small" }))).logReason).toMatch(/^unknown key: /);
    expect(signIn.oidc.fault()).toBeUndefined();
  });
});

describe("an issuer that can't be asked", () => {
  const DISCOVERY = "/.well-known/openid-configuration";
  const keysAt = (uri: unknown) => ({ issuer: issuer.url, jwks_uri: uri });

  it.each<[string, Parameters<TestIssuer["server"]["on"]>[0], string]>([
    ["answers 500", (_req, res) => sendJson(res, 500, {}), "HTTP 500"],
    ["answers garbage", (_req, res) => void res.end("<html>"), "not valid JSON"],
    ["answers too deep a document", (_req, res) => void res.end("[".repeat(100_000)), "nested deeper"],
    ["answers something else", (_req, res) => sendJson(res, 200, { hello: 1 }), "is no discovery document"],
    ["answers too much", (_req, res) => void res.end(" ".repeat(MAX_DOCUMENT_BYTES + 1)), "max size"],
    ["breaks off", (_req, res) => void res.write("{", () => res.destroy()), "Invalid EOF"],
    [
      "sends us elsewhere",
      (_req, res) => void res.writeHead(302, { location: `${issuer.url}/keys` }).end(),
      "HTTP 302",
    ],
    [
      "sends us elsewhere without an end",
      (_req, res) => void res.writeHead(302, { location: "/keys" }).write("x"),
      "HTTP 302",
    ],
    [
      "is another",
      (_req, res) => sendJson(res, 200, { ...keysAt(`${issuer.url}/keys`), issuer: "https://evil.org" }),
      "is of another issuer",
    ],
    ["has keys at no URL", (_req, res) => sendJson(res, 200, keysAt("keys")), "is not an https URL"],
    ["has keys in a file", (_req, res) => sendJson(res, 200, keysAt("file:///etc/passwd")), "is not an https URL"],
    [
      "has no JWK set",
      ({ path }, res) => sendJson(res, 200, path === DISCOVERY ? keysAt(`${issuer.url}/keys`) : {}),
      "is no JWK set",
    ],
    [
      "has no keys",
      ({ path }, res) => sendJson(res, 200, path === DISCOVERY ? keysAt(`${issuer.url}/keys`) : { keys: [] }),
      "it has no key",
    ],
  ])("as it %s: 503, never 401", async (_name, script, fault) => {
    issuer.server.on(script);
    const refusal = await signIn.refusalOf(await token());
    expect(refusal).toMatchObject({ code: "issuer_unavailable", retryAfterSeconds: COOLDOWN_MS / 1000 });
    expect(refusal.logReason).toContain(fault);
    expect(refusal.message).not.toContain(issuer.url);
    expect(signIn.oidc.fault()).toContain(fault);
    expect(await isUp()).toBe("0");
    // It is not asked again at once, however many come.
    const asked = issuer.asked().length;
    await clock.advance(COOLDOWN_MS - 1000);
    expect(await signIn.refusalOf(await token())).toMatchObject({ code: "issuer_unavailable", retryAfterSeconds: 1 });
    expect(issuer.asked()).toHaveLength(asked);
    issuer.publish([old.publicJwk]);
    await clock.advance(1000);
    expect(await signIn.identify(await token())).toMatchObject(ANN);
    expect([signIn.oidc.fault(), await isUp()]).toEqual([undefined, "1"]);
  });

  it("as it is not there", async () => {
    await issuer.server[Symbol.asyncDispose]();
    expect(await signIn.refusalOf(await token())).toMatchObject({ code: "issuer_unavailable" });
    expect(signIn.oidc.fault()).toContain("ECONNREFUSED");
  });

  it.each<[string, Parameters<TestIssuer["server"]["on"]>[0]]>([
    ["says nothing", () => undefined],
    ["never ends", (_req, res) => void res.write(" ")],
  ])("as it %s", async (_name, script) => {
    issuer.server.on(script);
    const refusal = token().then((text) => signIn.refusalOf(text));
    await eventually(() => issuer.asked().length).toBe(1);
    await clock.advance(DOCUMENT_TIMEOUT_MS);
    expect(await refusal).toMatchObject({ code: "issuer_unavailable", retryAfterSeconds: 5 });
    expect(signIn.oidc.fault()).toContain("was not there within 5 s");
  });

  it("has its last keys used meanwhile, for a day", async () => {
    await signIn.identify(await token());
    issuer.server.on((_req, res) => sendJson(res, 500, {}));
    await clock.advance(COOLDOWN_MS);
    // A new key may be behind this one.
    expect(await signIn.refusalOf(await token(next))).toMatchObject({ code: "issuer_unavailable" });
    expect(await signIn.identify(await token())).toMatchObject(ANN);
    await clock.advance(USABLE_MS - COOLDOWN_MS);
    const last = await token();
    expect(await signIn.identify(last)).toMatchObject(ANN);
    await clock.advance(1);
    expect(await signIn.refusalOf(last)).toMatchObject({ code: "issuer_unavailable" });
  });

  it("is asked again and again, with growing pauses, until it is back", async () => {
    const delays: number[] = [];
    const recording: Clock = {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimer(callback, delayMs) {
        delays.push(delayMs);
        return clock.setTimer(callback, delayMs);
      },
    };
    await using watched = signInBy(recording, [{ issuer: issuer.url, audience: "hatchery" }]);
    const pauses = () => delays.filter((delay) => delay !== DOCUMENT_TIMEOUT_MS);
    issuer.server.on((_req, res) => sendJson(res, 500, {}));
    run(watched);
    for (const expected of [[1_000], [1_000, 2_000], [1_000, 2_000, 4_000]]) {
      await eventually(pauses).toEqual(expected);
      if (expected.length === 3) issuer.publish([old.publicJwk]);
      await clock.advance(expected.at(-1) ?? 0);
    }
    await eventually(() => watched.oidc.fault()).toBeUndefined();
    expect(issuer.asked()).toHaveLength(5);
  });
});

describe("a verified token", () => {
  it("is remembered until it ends, by the clock", async () => {
    const text = await token();
    await signIn.identify(text);
    expect(await signIn.identify(text)).toBe(await signIn.identify(text));
    await clock.advance(3_659_999);
    expect(await signIn.identify(text)).toMatchObject(ANN);
    await clock.advance(1);
    expect((await signIn.refusalOf(text)).logReason).toBe("expired: exp");
  });

  it("is remembered no longer than any token is good", async () => {
    const text = await token(old, { exp: clock.now() / 1000 + 1e9 });
    await signIn.identify(text);
    await clock.advance(USABLE_MS + 1);
    // Fetches the keys anew.
    await signIn.identify(await token());
    expect(await signIn.identify(text)).toMatchObject(ANN);
    await clock.advance(60_999);
    expect((await signIn.refusalOf(text)).logReason).toBe("expired: iat");
  });
});
