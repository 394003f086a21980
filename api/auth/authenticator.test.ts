import { beforeEach, describe, expect, it } from "vitest";
import { keysReady } from "#lib/keys.ts";
import type { CredentialVerifier } from "../credentials/verifier.ts";
import { ApiError } from "../errors.ts";
import { agentKeyAuthenticator } from "./agent-key.ts";
import { apiTokenAuthenticator } from "./api-token.ts";
import { authenticate, type DistinctHeaders } from "./authenticator.ts";
import { internalKeyAuthenticator } from "./internal-key.ts";
import { ALL_SCOPES } from "./scopes.ts";

const KEY = "k".repeat(40);
let asked: string[];
const credentials: CredentialVerifier = {
  async verify(scheme, secret) {
    asked.push(`${scheme} ${secret}`);
    return { scheme, tenant: { kind: "Human", subject: "alice" }, scopes: ALL_SCOPES, credentialId: "tok_1" };
  },
  identify: async () => undefined,
};
const schemes = [internalKeyAuthenticator(KEY), agentKeyAuthenticator(credentials), apiTokenAuthenticator(credentials)];

beforeEach(async () => {
  await keysReady();
  asked = [];
});

describe("a credential", () => {
  it.each<[DistinctHeaders, string]>([
    [{ "x-api-key": ["oa_live_1"] }, "api-token oa_live_1"],
    [{ "x-api-key": ["anything"] }, "api-token anything"],
    [{ authorization: ["Bearer oa_live_1"] }, "api-token oa_live_1"],
    [{ authorization: ["bearer  oa_live_1"] }, "api-token oa_live_1"],
    [{ "x-oa-agent-key": ["oak_live_1"] }, "agent-key oak_live_1"],
    [{ authorization: ["Agent oak_live_1"] }, "agent-key oak_live_1"],
    [{ authorization: ["AGENT oa_live_1"] }, "agent-key oa_live_1"],
  ])("in %j is one of its scheme alone", async (headers, verified) => {
    await authenticate(schemes, headers);
    expect(asked).toEqual([verified]);
  });

  it.each<[DistinctHeaders]>([
    [{}],
    [{ authorization: ["Bearer some.jwt.token"] }],
    [{ authorization: ["Bearer oak_live_1"] }],
    [{ authorization: ["Basic b2FfbGl2ZV8x"] }],
    [{ authorization: ["Bearer"] }],
    [{ authorization: ["Bearer oa_live_1 oa_live_2"] }],
    [{ authorization: ["oa_live_1"] }],
    [{ authorization: [""] }],
    [{ cookie: ["oa_live_1"], "x-oa-user-id": ["alice"] }],
  ])("is none of ours in %j", async (headers) => {
    await expect(authenticate(schemes, headers)).rejects.toMatchObject({
      code: "unauthorized",
      logReason: "no credential",
    });
    expect(asked).toEqual([]);
  });

  it.each<[DistinctHeaders]>([
    [{ "x-api-key": ["oa_live_1", "oa_live_1"] }],
    [{ "x-api-key": ["oa_live_1"], authorization: ["Bearer oa_live_1"] }],
    [{ "x-api-key": ["oa_live_1"], "x-oa-agent-key": ["oak_live_1"] }],
    [{ "x-oa-agent-key": ["oak_live_1"], authorization: ["Agent oak_live_1"] }],
    [{ "x-oa-agent-key": ["oak_live_1"], authorization: ["Bearer some.jwt.token"] }],
    [{ authorization: ["Bearer oa_live_1", "Bearer oa_live_2"] }],
    [{ "x-api-key": ["oa_live_1"], authorization: ["Basic b2FfbGl2ZV8x"] }],
  ])("beside another one is refused, and neither is looked at: %j", async (headers) => {
    const error: unknown = await authenticate(schemes, headers).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      code: "unauthorized",
      message: "unauthorized",
      logReason: "more than one credential",
    });
    expect(asked).toEqual([]);
  });

  it("counts for nothing beside a first-party server's key", async () => {
    const headers = { "x-oa-internal-key": [KEY], "x-oa-user-id": ["bob"] };
    const others = {
      authorization: ["Bearer oa_live_1"],
      "x-api-key": ["oa_live_2"],
      "x-oa-agent-key": ["oak_live_1"],
    };
    expect(await authenticate(schemes, { ...headers, ...others })).toMatchObject({ tenant: { subject: "bob" } });
    await expect(authenticate(schemes, { ...others, "x-oa-internal-key": ["wrong"] })).rejects.toThrow("unauthorized");
    await expect(authenticate(schemes, { ...others, "x-oa-internal-key": [""] })).rejects.toThrow("unauthorized");
    expect(asked).toEqual([]);
  });
});
