import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { INSTANCES } from "#crds/index.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { instanceName } from "../instances/name.ts";
import { ADMIN, type ApiOnCluster, startApiOnCluster, writeStatus } from "../testing/api-on-cluster.ts";
import { CONTROL_KEY } from "../testing/api-under-test.ts";
import { type ClientRequest, call } from "../testing/client.ts";
import { eventually } from "../testing/eventually.ts";

const access = loadKubeAccess(inject("kubeconfig"));
let cluster: TestNamespace;
let api: ApiOnCluster;

beforeAll(async () => {
  cluster = await createTestNamespace(access, "control");
  api = await startApiOnCluster({ access, namespace: cluster.namespace, postgresPort: inject("postgresPort") });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

function control(o: ClientRequest) {
  return call(api.controlUrl, { user: null, ...o, headers: { "x-oa-control-key": CONTROL_KEY, ...o.headers } });
}
const INSTANCE = "/control/openclaw/instance";

describe("the internal listener", () => {
  it("lets nobody in without the control key, and tells them nothing", async () => {
    const paths = [INSTANCE, `${INSTANCE}?user_id=a`, `${INSTANCE}/secret?user_id=a&key=service_token`];
    for (const path of paths) {
      for (const headers of [{}, { "x-oa-control-key": "wrong" }, { "x-oa-control-key": [CONTROL_KEY, CONTROL_KEY] }]) {
        const { status, json } = await call(api.controlUrl, { path, headers });
        expect([status, json]).toMatchObject([401, { ok: false, code: "unauthorized", error: "unauthorized" }]);
      }
    }
  });

  it("is not the public one: neither serves the other's paths", async () => {
    const headers = { "x-oa-control-key": CONTROL_KEY };
    expect((await call(api.url, { path: `${INSTANCE}?user_id=a`, headers })).status).toBe(404);
    expect((await control({ path: "/api/openclaw/instance" })).status).toBe(404);
  });

  it("says which field is missing", async () => {
    const missing = async (o: ClientRequest) => {
      const { status, json } = await control(o);
      expect([status, json]).toMatchObject([400, { ok: false, code: "invalid_request" }]);
      return (json as { error: string }).error;
    };
    expect(await missing({ path: INSTANCE })).toContain("user_id required");
    expect(await missing({ path: `${INSTANCE}/status`, body: { user_id: "a" } })).toContain(
      "user_id and status required",
    );
    expect(await missing({ path: `${INSTANCE}/secret`, body: { user_id: "a", value: "x" } })).toContain(
      "user_id and key required",
    );
    expect(await missing({ path: INSTANCE, method: "POST", body: "{" })).toContain("not valid JSON");
  });
});

describe("the row of a user", () => {
  const user_id = "user_01H";

  it("is the instance's status, whatever was written into it", async () => {
    expect((await control({ path: `${INSTANCE}?user_id=${user_id}` })).json).toMatchObject({ ok: true, data: null });
    const row = {
      user_id,
      status: "ready",
      runtime_url: "https://elsewhere.example",
      cf_worker_id: "w",
      r2_bucket_name: "b",
    };
    const made = await control({ path: INSTANCE, body: row });
    const empty = { cf_worker_id: null, r2_bucket_name: null, runtime_url: null };
    expect([made.status, made.json]).toMatchObject([200, { data: { user_id, status: "provisioning", ...empty } }]);
    const ref = { namespace: cluster.namespace, name: instanceName(`human:${user_id}`) };
    expect((await cluster.client.get(INSTANCES, ref))?.spec.owner).toEqual({ kind: "Human", subject: user_id });
    const claimed = await control({ path: `${INSTANCE}/status`, body: { user_id, status: "ready" } });
    expect(claimed.json).toMatchObject({ data: { status: "provisioning", last_ready_at: null } });

    const endpoint = "http://openclaw-x.tenants.svc:18789";
    await writeStatus(cluster.client, cluster.namespace, user_id, { phase: "Ready", endpoint });
    await eventually(async () => (await control({ path: `${INSTANCE}?user_id=${user_id}` })).json).toMatchObject({
      data: { status: "ready", runtime_url: endpoint },
    });
  });

  it("of an agent is the agent's", async () => {
    await control({ path: INSTANCE, body: { user_id: "agent:a-1" } });
    const ref = { namespace: cluster.namespace, name: instanceName("agent:a-1") };
    expect((await cluster.client.get(INSTANCES, ref))?.spec.owner).toEqual({ kind: "Agent", subject: "a-1" });
  });

  it("goes with its secrets", async () => {
    const secret = { user_id, key: "provider_keys", value: '{"openai":"sk-1"}' };
    expect((await control({ path: `${INSTANCE}/secret`, body: secret })).json).toMatchObject({ ok: true, data: {} });
    const path = `${INSTANCE}/secret?user_id=${user_id}&key=provider_keys`;
    expect((await control({ path })).json).toMatchObject({ data: { secret: secret.value } });
    expect((await control({ path: path.replace("provider_keys", "service_token") })).json).toMatchObject({ data: {} });
    const remove = () => control({ path: `${INSTANCE}/delete`, body: { user_id } });
    expect((await remove()).json).toMatchObject({ data: { deleted: true } });
    expect((await control({ path })).json).toEqual(expect.objectContaining({ data: {} }));
    await eventually(async () => (await remove()).json).toMatchObject({ data: { deleted: false } });
  });
});

describe("users and agents of the callers of old", () => {
  const post = async (path: string, body: object) =>
    (await control({ path, body })).json as { data: Record<string, string> };
  const asAgent = (key: string) =>
    call(api.url, { path: "/api/openclaw/principal", user: null, headers: { "x-oa-agent-key": key } });

  it("a user is put on record with a token, which is theirs", async () => {
    const first = await post("/control/auth/agent/register", {
      user_id: "ann",
      name: "Ann",
      metadata: { a: 1 },
      nostr: { pubkey: "p" },
    });
    expect(first).toMatchObject({ ok: true, data: { user_id: "ann", created: true } });
    const second = await post("/control/auth/agent/register", { user_id: "ann" });
    expect(second).toMatchObject({ data: { user_id: "ann", created: false } });
    const token = first.data.api_token ?? "";
    const whose = await post("/control/auth/resolve-token", { token });
    expect(whose.data).toEqual({
      tokenId: expect.stringMatching(/^tok_/),
      tokenHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      user_id: "ann",
    });
    const own = await call(api.url, { path: "/api/openclaw/principal", user: null, headers: { "x-api-key": token } });
    expect(own.json).toMatchObject({ data: { tenant_id: "human:ann", principal_type: "human" } });
    const { status, json } = await control({
      path: "/control/auth/resolve-token",
      body: { token: token.replace(/.$/, "g") },
    });
    expect([status, json]).toMatchObject([401, { ok: false, error: "unauthorized" }]);
    expect((await control({ path: "/control/auth/agent/register", body: { user_id: "agent:x" } })).status).toBe(400);
  });

  it("an agent is made with a key, found by its hash, and no longer once the key is revoked", async () => {
    const made = await post("/control/agent/signup", {
      handle: "helper",
      owner_workos_user_id: "ann",
      scopes: ["openclaw:read"],
    });
    const { agentUserId = "", apiKey = "", keyId = "", keyHash = "" } = made.data;
    expect((await asAgent(apiKey)).json).toMatchObject({
      data: { tenant_id: `agent:${agentUserId}`, principal_type: "agent" },
    });
    const found = await control({ path: `/control/agent/by-key-hash?key_hash=${keyHash}` });
    expect(found.json).toMatchObject({ data: { agent_user_id: agentUserId, scopes: ["openclaw:read"] } });
    expect(await post("/control/agent/touch", { key_hash: keyHash })).toMatchObject({ ok: true, data: {} });
    const revoked = await call(api.url, {
      method: "DELETE",
      path: `/api/agents/${agentUserId}/keys/${keyId}`,
      user: "ann",
    });
    expect(revoked.status).toBe(200);
    const gone = await control({ path: `/control/agent/by-key-hash?key_hash=${keyHash}` });
    expect([gone.status, gone.json]).toMatchObject([404, { code: "agent_key_not_found" }]);
    expect((gone.json as { error: string }).error).toContain("Invalid or revoked key");
    expect((await asAgent(apiKey)).status).toBe(401);
  });

  it("credits are told", async () => {
    await call(api.url, {
      path: "/api/admin/credits",
      user: ADMIN,
      body: { user_id: "ann", amount_usd: 2.5, idempotency_key: "k-1" },
    });
    const { json } = await control({ path: "/control/openclaw/billing/summary?user_id=ann" });
    expect(json).toMatchObject({ ok: true, data: { user_id: "ann", balance_usd: 2.5 } });
  });
});
