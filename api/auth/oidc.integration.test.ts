import { decodeJwt } from "jose";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import * as z from "zod";
import { INSTANCES } from "#crds/index.ts";
import { parseEnv } from "#lib/env.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { instanceName } from "../instances/name.ts";
import { type ApiOnCluster, startApiOnCluster } from "../testing/api-on-cluster.ts";
import { call } from "../testing/client.ts";
import { eventually } from "../testing/eventually.ts";
import { type IdentityProvider, startIdentityProvider } from "../testing/identity-provider.fixture.ts";
import { forgeToken, newSigningKey, type SigningKey, signToken } from "../testing/issuer.fixture.ts";
import { oidcConfig, oidcEnv } from "./oidc-env.ts";

const API = "https://hatchery.example.org";
const log: Record<string, unknown>[] = [];
let key: SigningKey;
let provider: IdentityProvider;
let cluster: TestNamespace;
let api: ApiOnCluster;
/** Ann's, from the provider. */
let token: string;

beforeAll(async () => {
  key = await newSigningKey("first");
  provider = await startIdentityProvider(key);
  cluster = await createTestNamespace(loadKubeAccess(inject("kubeconfig")), "oidc");
  const OIDC_ISSUERS = JSON.stringify([{ issuer: provider.issuer, audience: API }]);
  api = await startApiOnCluster({
    postgresPort: inject("postgresPort"),
    access: loadKubeAccess(inject("kubeconfig")),
    namespace: cluster.namespace,
    log: pino({ level: "info" }, { write: (line) => void log.push(JSON.parse(line)) }),
    config: {
      accessMode: "approved",
      admins: { userIds: [], emails: [], group: "roots" },
      oidc: { ...oidcConfig(parseEnv(z.object(oidcEnv), { OIDC_ISSUERS })), keyRefreshSeconds: 1 },
    },
  });
  token = await provider.signIn("ann", API);
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

function send(bearer: string, method = "GET", path = "/api/openclaw/principal") {
  return call(api.url, { method, path, user: null, headers: { authorization: `Bearer ${bearer}` } });
}

/** What the log says of a request. */
function reasonOf(answer: { headers: Record<string, unknown> }): unknown {
  const id = answer.headers["x-request-id"];
  return log.find(({ requestId, msg }) => requestId === id && msg === "request refused")?.reason;
}

describe("somebody who signed in at a real provider", () => {
  it("is let in once the address that the provider has verified is approved", async () => {
    expect(await send(token)).toMatchObject({ status: 403, json: { code: "access_denied" } });
    await api.database.owner
      .insertInto("waitlist")
      .values({ email: "ann@example.org", source: "test", approved: true })
      .execute();
    expect(await send(token)).toMatchObject({
      status: 200,
      json: { data: { tenant_id: "human:ann", principal_type: "human" } },
    });
  });

  it("gets an OpenClaw that belongs to the provider's user id", async () => {
    const answer = await send(token, "POST", "/api/openclaw/instance");
    expect(answer).toMatchObject({ status: 200, json: { data: { status: "provisioning" } } });
    const name = instanceName("human:ann");
    const made = await cluster.client.get(INSTANCES, { namespace: cluster.namespace, name });
    expect(made?.spec.owner).toEqual({ kind: "Human", subject: "ann" });
  });
});

it("makes an admin of whom the provider has in the group of admins", async () => {
  const root = await provider.signIn("root", API);
  expect(await send(root, "GET", "/api/admin/users")).toMatchObject({ status: 200 });
  expect(await send(token, "GET", "/api/admin/users")).toMatchObject({ status: 403, json: { code: "admin_required" } });
});

describe("a token of the provider's is worth nothing with", () => {
  const claims = () => decodeJwt(token);

  it.each<[string, string, () => Promise<string>]>([
    ["a wrong audience", "wrong audience", () => provider.signIn("ann", "https://other.example.org")],
    ["a wrong issuer", "wrong issuer", signInElsewhere],
    [
      "a wrong key under the right name",
      "bad signature",
      async () => signToken(await newSigningKey("first"), claims()),
    ],
    ["a wrong key", "unknown key", async () => signToken(await newSigningKey("other"), claims())],
    ["an end that has passed", "expired", () => signToken(key, { ...claims(), exp: Date.now() / 1000 - 61 })],
    ["no signature", "alg none", async () => forgeToken({ alg: "none", typ: "at+jwt", kid: "first" }, claims())],
  ])("%s: 401, and why is in the log alone", async (_name, reason, make) => {
    const bad = await make();
    const answer = await send(bad);
    expect(answer.status).toBe(401);
    expect(answer.json).toEqual({
      ok: false,
      data: null,
      error: "unauthorized",
      code: "unauthorized",
      requestId: answer.headers["x-request-id"],
    });
    expect(reasonOf(answer)).toMatch(new RegExp(`^${reason}(:|$)`));
    expect(JSON.stringify(log)).not.toContain(bad.split(".")[2] || bad);
    expect(await send(token)).toMatchObject({ status: 200 });
  });

  it("a key that the provider has rotated out", async () => {
    await provider.rotate(await newSigningKey("second"));
    const fresh = await provider.signIn("ann", API);
    await eventually(async () => (await send(fresh)).status).toBe(200);
    const answer = await send(token);
    expect(answer).toMatchObject({ status: 401, json: { error: "unauthorized", code: "unauthorized" } });
    expect(reasonOf(answer)).toMatch(/^unknown key:/);
  });
});

describe("while the provider is away", () => {
  it("tokens with known keys are good, and others are not judged: 503, with a time to come back", async () => {
    const fresh = await provider.signIn("ann", API);
    expect((await send(fresh)).status).toBe(200);
    await provider[Symbol.asyncDispose]();
    const unknown = await signToken(await newSigningKey("third"), decodeJwt(fresh));
    await eventually(async () => (await send(unknown)).status).toBe(503);
    const answer = await send(unknown);
    expect(answer).toMatchObject({ status: 503, json: { code: "issuer_unavailable" } });
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    expect(answer.text).not.toContain(provider.issuer);
    expect((await send(fresh)).status).toBe(200);
  });
});

/** A token of another provider, which nobody told the API of, for the same user and the same audience. */
async function signInElsewhere(): Promise<string> {
  await using other = await startIdentityProvider(await newSigningKey("first"));
  return await other.signIn("ann", API);
}
