import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { INSTANCES } from "#crds/index.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { createAgent } from "../agents/agents.ts";
import { instanceName } from "../instances/name.ts";
import { ADMIN, type ApiOnCluster, startApiOnCluster } from "../testing/api-on-cluster.ts";
import { type ClientRequest, call } from "../testing/client.ts";
import { answerTo, dataOf, dumpTables, withKey, withToken } from "../testing/credentials.ts";

interface Key {
  id: string;
  key: string;
  scopes: string[];
}
interface Agent {
  id: string;
  tenant_id: string;
  name: string;
  status: string;
  keys: Omit<Key, "key">[];
}

const AGENTS = "/api/agents";
const PRINCIPAL = { path: "/api/openclaw/principal" };
const NO_AGENT = `${AGENTS}/nobody`;
const clock = new ManualClock(Date.now());
const logged: string[] = [];
let cluster: TestNamespace;
let api: ApiOnCluster;

beforeAll(async () => {
  const access = loadKubeAccess(inject("kubeconfig"));
  cluster = await createTestNamespace(access, "agents");
  const log = pino({ level: "trace" }, { write: (line: string) => void logged.push(line) });
  api = await startApiOnCluster({
    access,
    namespace: cluster.namespace,
    postgresPort: inject("postgresPort"),
    config: { accessMode: "approved" },
    clock,
    log,
  });
  for (const user of ["ann", "bob", "cat", "dan", "eve", "fay", "gil", "hal", "ida"]) await letIn(user);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

async function letIn(user: string, enabled = true): Promise<void> {
  await call(api.url, { path: "/api/access", user });
  await dataOf(api.url, { method: "PUT", path: `/api/admin/users/${user}/access`, user: ADMIN, body: { enabled } });
}
const answer = (o: ClientRequest) => answerTo(api.url, o);
const make = (user: string, name = "helper") => dataOf<Agent>(api.url, { path: AGENTS, user, body: { name } });
const list = async (user: string) => (await dataOf<{ items: Agent[] }>(api.url, { path: AGENTS, user })).items;
const makeKey = (user: string, id: string, body?: object) =>
  dataOf<Key>(api.url, { method: "POST", path: `${AGENTS}/${id}/keys`, user, ...(body ? { body } : {}) });
const removeKey = (user: string, id: string, key: string) =>
  answer({ method: "DELETE", path: `${AGENTS}/${id}/keys/${key}`, user });
const setStatus = (user: string, id: string, status: string) =>
  answer({ method: "PATCH", path: `${AGENTS}/${id}`, user, body: { status } });
const use = (key: string, o: ClientRequest = PRINCIPAL) => answer(withKey(key, o));

describe("an agent", () => {
  it("calls as a tenant of its own, by either header, with a key that is told once", async () => {
    const agent = await make("ann", "night shift");
    expect(agent).toMatchObject({ name: "night shift", status: "active", keys: [], tenant_id: `agent:${agent.id}` });
    const made = await makeKey("ann", agent.id);
    expect(made).toMatchObject({
      id: expect.stringMatching(/^oak_[0-9a-f]{16}$/),
      key: expect.stringMatching(/^oak_live_[0-9a-f]{64}$/),
      description: "",
      scopes: ["openclaw:read", "openclaw:write"],
      expires_at: null,
    });
    for (const headers of [{ "x-oa-agent-key": made.key }, { authorization: `Agent ${made.key}` }]) {
      expect(await dataOf(api.url, { ...PRINCIPAL, user: null, headers })).toEqual({
        tenant_id: agent.tenant_id,
        principal_type: "agent",
      });
    }
    const { key: _told, ...rest } = made;
    expect(await list("ann")).toEqual([{ ...agent, keys: [rest] }]);
  });

  it("has an instance of its own, not its owner's", async () => {
    const { id, tenant_id } = await make("bob");
    const { key } = await makeKey("bob", id);
    await call(api.url, { method: "POST", path: "/api/openclaw/instance", user: "bob" });
    expect(await dataOf(api.url, withKey(key, { path: "/api/openclaw/instance" }))).toBeNull();
    const ref = { namespace: cluster.namespace, name: instanceName("human:bob") };
    expect((await cluster.client.get(INSTANCES, ref))?.spec.owner).toEqual({ kind: "Human", subject: "bob" });
    expect(await cluster.client.get(INSTANCES, { ...ref, name: instanceName(tenant_id) })).toBeUndefined();
  });

  it("is its owner's alone: nobody else sees it, disables it, or makes or revokes its keys", async () => {
    const { id } = await make("cat");
    const { id: key, key: secret } = await makeKey("cat", id);
    expect(await list("dan")).toEqual([]);
    expect(await setStatus("dan", id, "disabled")).toBe("404 agent_not_found");
    expect(await answer({ method: "POST", path: `${AGENTS}/${id}/keys`, user: "dan" })).toBe("404 agent_not_found");
    expect(await removeKey("dan", id, key)).toBe("404 agent_not_found");
    const own = await make("dan");
    expect(await removeKey("dan", own.id, key)).toBe("404 agent_key_not_found");
    expect(await use(secret)).toBe("200");
    expect(await removeKey("cat", id, key)).toBe("200");
    expect(await use(secret)).toBe("401 unauthorized");
    expect(await removeKey("cat", id, key)).toBe("404 agent_key_not_found");
  });

  it("makes no credentials and no agents, whatever its key is good for", async () => {
    const { id } = await make("eve");
    const scopes = ["openclaw:read", "openclaw:write", "openclaw:chat"];
    const { key } = await makeKey("eve", id, { scopes });
    const tried: ClientRequest[] = [
      { path: "/api/tokens" },
      { path: "/api/tokens", body: { name: "t" } },
      { path: AGENTS },
      { path: AGENTS, body: { name: "child" } },
      { method: "POST", path: `${AGENTS}/${id}/keys` },
      { method: "PATCH", path: `${AGENTS}/${id}`, body: { status: "active" } },
    ];
    for (const o of tried) expect([o.path, await use(key, o)]).toEqual([o.path, "403 humans_only"]);
    expect(await use(key, { path: "/api/admin/users" })).toBe("403 insufficient_scope");
    expect(
      await answer({ method: "POST", path: `${AGENTS}/${id}/keys`, user: "eve", body: { scopes: ["admin"] } }),
    ).toBe("400 invalid_request");
  });

  it("is refused while it is disabled, at once, and acts again after", async () => {
    const { id } = await make("fay");
    const { key } = await makeKey("fay", id, { scopes: ["openclaw:read", "openclaw:chat"] });
    expect(await setStatus("fay", id, "disabled")).toBe("200");
    logged.length = 0;
    const chat = { path: "/api/openclaw/chat", body: { input: "x" } };
    for (const o of [PRINCIPAL, chat]) expect(await use(key, o)).toBe("401 unauthorized");
    expect(logged.some((line) => line.includes("the agent is disabled"))).toBe(true);
    expect((await list("fay"))[0]).toMatchObject({ status: "disabled" });
    expect(await setStatus("fay", id, "active")).toBe("200");
    expect(await use(key)).toBe("200");
    // A refusal is not remembered.
    expect(await use(key, chat)).toBe("404 instance_not_found");
    expect(await setStatus("fay", id, "deleted")).toBe("400 invalid_request");
    const events = await api.database.db
      .selectFrom("audit_events")
      .select(["action", "actor", "detail"])
      .where("object", "=", `agent:${id}`)
      .orderBy("seq")
      .execute();
    expect(events).toEqual([
      { action: "agent.create", actor: "human:fay", detail: { owner: "human:fay" } },
      { action: "agent.set", actor: "human:fay", detail: { status: "disabled" } },
      { action: "agent.set", actor: "human:fay", detail: { status: "active" } },
    ]);
  });

  it("goes with its owner, and can be shut out alone", async () => {
    const { id, tenant_id } = await make("gil");
    const { key } = await makeKey("gil", id);
    await letIn("gil", false);
    expect(await use(key)).toBe("403 access_denied");
    await letIn("gil");
    expect(await use(key)).toBe("200");
    const shutOut = {
      method: "PUT",
      path: `/api/admin/users/${tenant_id}/access`,
      user: ADMIN,
      body: { enabled: false },
    };
    expect(await answer(shutOut)).toBe("200");
    expect(await use(key)).toBe("403 access_denied");
    expect(await answer({ ...PRINCIPAL, user: "gil" })).toBe("200");
  });

  it("that nobody owns gets in by an admin's decision alone, and is nobody's to change", async () => {
    const change = { by: { name: "control", scheme: "control-key" }, requestId: "r" };
    const alone = { id: "alone", owner: null, name: "alone" };
    await api.database.db.transaction().execute((trx) => createAgent(trx, alone, change));
    expect(await setStatus(ADMIN, "alone", "disabled")).toBe("404 agent_not_found");
    expect((await list(ADMIN)).map(({ id }) => id)).not.toContain("alone");
  });

  it("expires with its key", async () => {
    const { id } = await make("hal");
    const { key } = await makeKey("hal", id, { description: "short", expires_at: clock.now() + 1_000 });
    expect(await use(key)).toBe("200");
    await clock.advance(1_000);
    expect(await use(key)).toBe("401 unauthorized");
  });
});

describe("an owner", () => {
  it("has as many agents and keys as there may be, however many are made at once", async () => {
    const body = { name: "one of many" };
    const made = await Promise.all(Array.from({ length: 24 }, () => answer({ path: AGENTS, user: "ida", body })));
    expect(made.filter((given) => given === "200")).toHaveLength(20);
    expect(made.filter((given) => given === "409 too_many_agents")).toHaveLength(4);
    const [agent] = await list("ida");
    const id = agent?.id ?? "";
    const path = `${AGENTS}/${id}/keys`;
    const keys = await Promise.all(Array.from({ length: 13 }, () => answer({ method: "POST", path, user: "ida" })));
    expect(keys.filter((given) => given === "200")).toHaveLength(10);
    expect(keys.filter((given) => given === "409 too_many_keys")).toHaveLength(3);

    expect(await setStatus("ida", id, "disabled")).toBe("200");
    await make("ida");
    expect(await setStatus("ida", id, "active")).toBe("409 too_many_agents");
  });

  it.each<[ClientRequest, string]>([
    [{ path: AGENTS, body: {} }, "name: "],
    [{ path: AGENTS, body: { name: "a", owner: "human:root" } }, '"owner"'],
    [{ method: "PATCH", path: NO_AGENT, body: {} }, "status: "],
    [{ path: `${AGENTS}/a%2Fb/keys`, body: {} }, "id: "],
    [{ path: `${NO_AGENT}/keys`, body: { scopes: ["all"] } }, "scopes[0]: "],
    [{ path: `${NO_AGENT}/keys`, body: { description: "x".repeat(101) } }, "description: "],
    [{ method: "DELETE", path: `${NO_AGENT}/keys/none` }, "keyId: "],
  ])("is told what is wrong with %j", async (o, text) => {
    const { status, json } = await call(api.url, { ...o, user: "ann" });
    expect([status, json]).toMatchObject([400, { code: "invalid_request", error: expect.stringContaining(text) }]);
  });

  it("gives a key no more than the token has that makes it", async () => {
    const { id } = await make("ann", "by token");
    const token = await dataOf<{ id: string; token: string }>(api.url, {
      path: "/api/tokens",
      user: "ann",
      body: { name: "t", scopes: ["openclaw:write"] },
    });
    const keys = { method: "POST", path: `${AGENTS}/${id}/keys` };
    expect(await answer(withToken(token.token, { ...keys, body: { scopes: ["openclaw:read"] } }))).toBe(
      "403 insufficient_scope",
    );
    const made = await dataOf<Key>(api.url, withToken(token.token, keys));
    expect(made).toMatchObject({ scopes: ["openclaw:write"], made_with: token.id });
    expect(await use(made.key)).toBe("403 insufficient_scope");
  });

  it("leaves no trace by which a key could be used", async () => {
    const { id } = await make("bob", "traces");
    const { key, id: keyId } = await makeKey("bob", id);
    await use(key);
    await removeKey("bob", id, keyId);
    const kept = `${await dumpTables(api.database)}\n${logged.join("\n")}`;
    expect(kept).toContain(keyId);
    expect(kept).not.toContain(key.slice("oak_live_".length));
    expect(kept).not.toContain(key.slice(-20));
  });
});
