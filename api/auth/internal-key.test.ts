import { beforeAll, describe, expect, it } from "vitest";
import { keysReady } from "#lib/keys.ts";
import { ApiError } from "../errors.ts";
import { type Authenticator, authenticate, type DistinctHeaders } from "./authenticator.ts";
import type { Identity } from "./identity.ts";
import { internalKeyAuthenticator } from "./internal-key.ts";
import { ALL_SCOPES } from "./scopes.ts";

const KEY = "k".repeat(40);
const schemes = [internalKeyAuthenticator(KEY)];

describe("the internal key", () => {
  beforeAll(keysReady);

  it("lets a first-party server act for a user", async () => {
    const headers = { "x-oa-internal-key": [KEY], "x-oa-user-id": ["user_01H"], authorization: ["Bearer whatever"] };
    expect(await authenticate(schemes, headers)).toMatchObject({
      scheme: "internal-key",
      tenant: { kind: "Human", subject: "user_01H" },
    });
  });

  it("vouches for an e-mail address, in one spelling", async () => {
    const headers = { "x-oa-internal-key": [KEY], "x-oa-user-id": ["a"], "x-oa-user-email": [" Ann@Example.ORG"] };
    expect(await authenticate(schemes, headers)).toMatchObject({ email: "ann@example.org" });
  });

  it.each<[string, DistinctHeaders, string]>([
    [
      "two e-mail addresses",
      { "x-oa-internal-key": [KEY], "x-oa-user-id": ["a"], "x-oa-user-email": ["a@b.org", "c@d.org"] },
      "invalid_request",
    ],
    [
      "what is no e-mail address",
      { "x-oa-internal-key": [KEY], "x-oa-user-id": ["a"], "x-oa-user-email": ["a"] },
      "invalid_request",
    ],
    ["nothing", {}, "unauthorized"],
    ["only a bearer token", { authorization: [`Bearer ${KEY}`] }, "unauthorized"],
    ["only a user id", { "x-oa-user-id": ["a"] }, "unauthorized"],
    ["a wrong key", { "x-oa-internal-key": ["wrong"], "x-oa-user-id": ["a"] }, "unauthorized"],
    ["an empty key", { "x-oa-internal-key": [""], "x-oa-user-id": ["a"] }, "unauthorized"],
    ["a key with more behind it", { "x-oa-internal-key": [`${KEY}x`], "x-oa-user-id": ["a"] }, "unauthorized"],
    ["the key twice", { "x-oa-internal-key": [KEY, KEY], "x-oa-user-id": ["a"] }, "unauthorized"],
    ["no user id", { "x-oa-internal-key": [KEY] }, "missing_user_id"],
    ["an empty user id", { "x-oa-internal-key": [KEY], "x-oa-user-id": [""] }, "missing_user_id"],
    ["two user ids", { "x-oa-internal-key": [KEY], "x-oa-user-id": ["a", "b"] }, "invalid_request"],
    ["joined user ids", { "x-oa-internal-key": [KEY], "x-oa-user-id": ["a, b"] }, "invalid_request"],
    ["an endless user id", { "x-oa-internal-key": [KEY], "x-oa-user-id": ["a".repeat(257)] }, "invalid_request"],
    ["a user id beyond ASCII", { "x-oa-internal-key": [KEY], "x-oa-user-id": ["é"] }, "invalid_request"],
  ])("refuses %s", async (_name, headers, code) => {
    const error = await authenticate(schemes, headers).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code });
    expect(String(error)).not.toContain(KEY);
  });

  it("decides when it is there: no later scheme is asked", async () => {
    const asked: string[] = [];
    const identity: Identity = {
      scheme: "oidc",
      tenant: { kind: "Human", subject: "other" },
      scopes: ALL_SCOPES,
    };
    const other: Authenticator = {
      scheme: "oidc",
      async authenticate() {
        asked.push("other");
        return identity;
      },
    };
    await expect(authenticate([...schemes, other], { "x-oa-internal-key": ["wrong"] })).rejects.toThrow("unauthorized");
    expect(asked).toEqual([]);
    expect(await authenticate([...schemes, other], {})).toBe(identity);
  });
});
