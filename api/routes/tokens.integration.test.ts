import { randomUUID } from "node:crypto";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { admit } from "../approvals/approvals.ts";
import { ADMIN, type ApiOnCluster, startApiOnCluster } from "../testing/api-on-cluster.ts";
import { as } from "../testing/api-under-test.ts";
import { type ClientRequest, call } from "../testing/client.ts";
import { answerTo, dataOf, dumpTables, withToken } from "../testing/credentials.ts";

interface Token {
  id: string;
  token: string;
  name: string;
  scopes: string[];
  expires_at: number | null;
  last_used_at: number | null;
  made_with: string | null;
}
interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

const TOKENS = "/api/tokens";
const PRINCIPAL = { path: "/api/openclaw/principal" };
const clock = new ManualClock(Date.now());
const logged: string[] = [];
let cluster: TestNamespace;
let api: ApiOnCluster;

beforeAll(async () => {
  const access = loadKubeAccess(inject("kubeconfig"));
  cluster = await createTestNamespace(access, "tokens");
  const log = pino({ level: "trace" }, { write: (line: string) => void logged.push(line) });
  const config = { admins: { userIds: [ADMIN], emails: ["boss@example.org"], group: undefined } };
  const where = { access, namespace: cluster.namespace, postgresPort: inject("postgresPort") };
  api = await startApiOnCluster({ ...where, config, clock, log });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

const mint = (user: string, body: object = {}) =>
  dataOf<Token>(api.url, { path: TOKENS, user, body: { name: "t", ...body } });
const mintWith = (token: string, body: object = {}) => withToken(token, { path: TOKENS, body: { name: "t", ...body } });
const list = (user: string, query = "") => dataOf<Page<Token>>(api.url, { path: TOKENS + query, user });
const remove = (user: string, id: string): ClientRequest => ({ method: "DELETE", path: `${TOKENS}/${id}`, user });
const answer = (o: ClientRequest) => answerTo(api.url, o);
const use = (token: string, o: ClientRequest = PRINCIPAL) => answer(withToken(token, o));
const audited = () => api.database.db.selectFrom("audit_events").selectAll().orderBy("seq").execute();

describe("an API token", () => {
  it("acts for its owner, by either header, and is told once", async () => {
    const made = await mint("ann", { name: "  laptop " });
    expect(made).toMatchObject({
      id: expect.stringMatching(/^tok_[0-9a-f]{16}$/),
      token: expect.stringMatching(/^oa_live_[0-9a-f]{64}$/),
      name: "laptop",
      scopes: ["openclaw:read", "openclaw:write", "openclaw:chat"],
      expires_at: null,
      last_used_at: null,
      made_with: null,
    });
    const headers = [
      { "x-api-key": made.token },
      { authorization: `Bearer ${made.token}` },
      { authorization: `bearer ${made.token}` },
    ];
    for (const given of headers) {
      const principal = await dataOf(api.url, { ...PRINCIPAL, user: null, headers: given });
      expect(principal).toEqual({ tenant_id: "human:ann", principal_type: "human" });
    }
    const { token: _told, ...rest } = made;
    expect((await list("ann")).items).toEqual([rest]);
  });

  it("is seen and revoked by its owner alone", async () => {
    const { id, token } = await mint("bob");
    expect((await list("eve")).items).toEqual([]);
    expect(await answer(remove("eve", id))).toBe("404 token_not_found");
    expect(await answer(remove("eve", "tok_0000000000000000"))).toBe("404 token_not_found");
    expect(await use(token)).toBe("200");
    expect(await answer(remove("bob", id))).toBe("200");
    expect(await use(token)).toBe("401 unauthorized");
    expect((await list("bob")).items).toEqual([]);
    expect(await answer(remove("bob", id))).toBe("404 token_not_found");
    expect(await answer(remove("bob", "anything"))).toBe("400 invalid_request");
  });

  it("is good for its scopes alone", async () => {
    const { token } = await mint("cat", { scopes: ["openclaw:read"] });
    expect(await use(token)).toBe("200");
    expect(await use(token, { path: TOKENS })).toBe("200");
    expect(await answer(mintWith(token))).toBe("403 insufficient_scope");
    expect(await use(token, { path: "/api/openclaw/chat", body: { input: "x" } })).toBe("403 insufficient_scope");
    expect(await use(token, { path: "/v1/models" })).toBe("403 insufficient_scope");
    expect(await use(token, { path: "/api/admin/users" })).toBe("403 insufficient_scope");
  });

  it("ends when its time is up, by the clock", async () => {
    const { token } = await mint("dan", { expires_at: clock.now() + 60_000 });
    await clock.advance(59_999);
    expect(await use(token)).toBe("200");
    await clock.advance(1);
    expect(await use(token)).toBe("401 unauthorized");
  });

  it("that is no good is refused the same way whatever is wrong; the log says what", async () => {
    const revoked = await mint("fay");
    await call(api.url, remove("fay", revoked.id));
    const expired = await mint("fay", { expires_at: clock.now() + 1 });
    await clock.advance(1);
    const bad: [string, string][] = [
      [revoked.token, `api-token ${revoked.id}: revoked`],
      [expired.token, `api-token ${expired.id}: expired`],
      [`oa_live_${"0".repeat(64)}`, "unknown api-token"],
      [revoked.token.toUpperCase(), "malformed api-token"],
      [`${revoked.token}0`, "malformed api-token"],
      ["", "malformed api-token"],
    ];
    for (const [token, reason] of bad) {
      logged.length = 0;
      const { status, json } = await call(
        api.url,
        withToken(token, { ...PRINCIPAL, headers: { "x-request-id": "same" } }),
      );
      expect([status, json]).toEqual([
        401,
        { ok: false, data: null, error: "unauthorized", code: "unauthorized", requestId: "same" },
      ]);
      expect(logged.map((line) => (JSON.parse(line) as { reason?: string }).reason)).toContain(reason);
    }
  });

  it("beside another credential is refused", async () => {
    const { token } = await mint("gil");
    const twice: Record<string, string | string[]>[] = [
      { "x-api-key": [token, token] },
      { "x-api-key": token, authorization: `Bearer ${token}` },
      { authorization: [`Bearer ${token}`, `Bearer ${token}`] },
      { "x-api-key": token, "x-oa-agent-key": `oak_live_${"0".repeat(64)}` },
    ];
    for (const headers of twice) expect(await answer({ ...PRINCIPAL, user: null, headers })).toBe("401 unauthorized");
    const both = await dataOf(api.url, { ...PRINCIPAL, headers: { ...as("hal"), "x-api-key": token }, user: null });
    expect(both).toMatchObject({ tenant_id: "human:hal" });
    expect(await answer({ path: `${PRINCIPAL.path}?x-api-key=${token}&api_key=${token}`, user: null })).toBe(
      "401 unauthorized",
    );
  });

  it.each<[object, string]>([
    [{ name: undefined }, "name: "],
    [{ name: " " }, "name: "],
    [{ name: "x".repeat(101) }, "name: "],
    [{ name: "a\nb" }, "name: has control characters"],
    [{ scopes: [] }, "scopes: "],
    [{ scopes: ["openclaw:everything"] }, "scopes[0]: "],
    [{ scopes: "openclaw:read" }, "scopes: "],
    [{ expires_at: "tomorrow" }, "expires_at: "],
    [{ expires_at: 0 }, "expires_at: is in the past"],
    [{ expires_at: 1e300 }, "expires_at: "],
    [{ owner: "root" }, '"owner"'],
  ])("is not made of %j", async (body, text) => {
    const { status, json } = await call(api.url, { path: TOKENS, user: "ida", body: { name: "t", ...body } });
    expect([status, json]).toMatchObject([400, { code: "invalid_request", error: expect.stringContaining(text) }]);
    expect((await list("ida")).items).toEqual([]);
  });
});

describe("a token made with a token", () => {
  it("may do no more and lasts no longer than that one", async () => {
    const end = clock.now() + 3_600_000;
    const parent = await mint("jan", { scopes: ["openclaw:read", "openclaw:write"], expires_at: end });
    expect(await answer(mintWith(parent.token, { scopes: ["openclaw:read", "openclaw:chat"] }))).toBe(
      "403 insufficient_scope",
    );
    expect(await answer(mintWith(parent.token, { scopes: ["admin"] }))).toBe("403 admin_required");
    expect(await answer(mintWith(parent.token, { expires_at: end + 1 }))).toBe("400 invalid_request");
    expect(await dataOf(api.url, mintWith(parent.token))).toMatchObject({
      scopes: ["openclaw:read", "openclaw:write"],
      expires_at: end,
      made_with: parent.id,
    });
    const shorter = mintWith(parent.token, { scopes: ["openclaw:read"], expires_at: end - 1 });
    expect(await dataOf(api.url, shorter)).toMatchObject({ scopes: ["openclaw:read"], expires_at: end - 1 });
  });

  it("ends with it, and so does what was made with that", async () => {
    const first = await mint("kim");
    const second = await dataOf<Token>(api.url, mintWith(first.token));
    const third = await dataOf<Token>(api.url, mintWith(second.token));
    const other = await mint("kim");
    const { id } = await dataOf<{ id: string }>(api.url, { path: "/api/agents", user: "kim", body: { name: "a" } });
    const key = await dataOf<{ key: string }>(
      api.url,
      withToken(third.token, { method: "POST", path: `/api/agents/${id}/keys` }),
    );
    expect(await answer({ ...PRINCIPAL, user: null, headers: { "x-oa-agent-key": key.key } })).toBe("200");
    const headers = { "x-request-id": "the-end" };
    expect(await answer({ ...remove("kim", first.id), headers })).toBe("200");
    for (const { token } of [first, second, third]) expect(await use(token)).toBe("401 unauthorized");
    expect(await answer({ ...PRINCIPAL, user: null, headers: { "x-oa-agent-key": key.key } })).toBe("401 unauthorized");
    expect(await use(other.token)).toBe("200");
    const ended = (await audited()).filter(({ request_id }) => request_id === "the-end");
    expect(ended.map(({ action, actor }) => `${action} ${actor}`).sort()).toEqual([
      "agent.key.revoke human:kim",
      ...Array<string>(3).fill("token.revoke human:kim"),
    ]);
  });

  it("is not made with one that is being revoked", async () => {
    for (let round = 0; round < 5; round++) {
      const parent = await mint("lea");
      const children = Array.from({ length: 4 }, () => call(api.url, mintWith(parent.token)));
      const [made] = await Promise.all([Promise.all(children), call(api.url, remove("lea", parent.id))]);
      for (const { status, json } of made) {
        expect([200, 401]).toContain(status);
        if (status === 200) expect(await use((json as { data: Token }).data.token)).toBe("401 unauthorized");
      }
    }
    expect((await list("lea")).items).toEqual([]);
  });
});

describe("an admin's token", () => {
  const ADMIN_LIST = { path: "/api/admin/users" };

  it("is an admin's only if it was made to be", async () => {
    const plain = await mint(ADMIN);
    const admin = await mint(ADMIN, { scopes: ["openclaw:read", "openclaw:write", "admin"] });
    expect(await use(plain.token, ADMIN_LIST)).toBe("403 insufficient_scope");
    expect(await use(admin.token, ADMIN_LIST)).toBe("200");
    expect(await answer({ path: TOKENS, user: "mia", body: { name: "t", scopes: ["admin"] } })).toBe(
      "403 admin_required",
    );
    expect(await answer(mintWith(plain.token, { scopes: ["admin"] }))).toBe("403 insufficient_scope");
    expect(await dataOf(api.url, mintWith(admin.token))).toMatchObject({ scopes: ["openclaw:read", "openclaw:write"] });
  });

  it("shows what is admins' alone only if it was made to be an admin's", async () => {
    const asked = {
      tenant: { kind: "Agent", subject: "nobody's" },
      owner: undefined,
      tool: "t",
      input: {},
      summary: "?",
    } as const;
    const moment = {
      now: clock.now(),
      newId: randomUUID,
      requestId: "r",
      by: { name: "agent:x", scheme: "agent-key" },
    };
    await admit(api.database.db, { ...asked, approvalId: undefined }, moment);
    const approvals = { path: "/api/approvals" };
    const plain = await mint(ADMIN, { scopes: ["openclaw:read"] });
    const admin = await mint(ADMIN, { scopes: ["openclaw:read", "admin"] });
    expect(await dataOf(api.url, withToken(plain.token, approvals))).toMatchObject({ items: [] });
    expect(await dataOf(api.url, withToken(admin.token, approvals))).toMatchObject({
      items: [{ tenant_id: "agent:nobody's" }],
    });
  });

  it("is one no longer than its owner is an admin", async () => {
    const boss = { "x-oa-user-email": "boss@example.org" };
    const body = { name: "t", scopes: ["openclaw:read", "admin"] };
    const { token } = await dataOf<Token>(api.url, { path: TOKENS, user: "nia", headers: boss, body });
    expect(await use(token, ADMIN_LIST)).toBe("200");
    await call(api.url, { ...PRINCIPAL, user: "nia", headers: { "x-oa-user-email": "nia@example.org" } });
    expect(await use(token, ADMIN_LIST)).toBe("403 admin_required");
    expect(await use(token)).toBe("200");
  });

  it("is worth nothing once its owner is shut out", async () => {
    const { token } = await mint("oli");
    const access = { method: "PUT", path: "/api/admin/users/oli/access", user: ADMIN };
    await call(api.url, { ...access, body: { enabled: false } });
    expect(await use(token)).toBe("403 access_denied");
    expect(await use(token, { path: "/api/access" })).toBe("200");
    await call(api.url, { ...access, body: { enabled: true } });
    expect(await use(token)).toBe("200");
  });
});

describe("the tokens of an owner", () => {
  it("are as many as there may be, however many are made at once; expired ones make room", async () => {
    const body = { name: "t", expires_at: clock.now() + 60_000 };
    const answers = await Promise.all(Array.from({ length: 60 }, () => answer({ path: TOKENS, user: "pia", body })));
    expect(answers.filter((given) => given === "200")).toHaveLength(50);
    expect(answers.filter((given) => given === "409 too_many_tokens")).toHaveLength(10);
    expect(await answer({ path: TOKENS, user: "quin", body })).toBe("200");
    await clock.advance(60_000);
    await mint("pia");
    expect((await list("pia", "?limit=100")).items).toHaveLength(1);
  });

  it("come in pages, newest first, each once", async () => {
    const made = await Promise.all(Array.from({ length: 7 }, () => mint("rob")));
    const found: string[] = [];
    for (let query = "?limit=2"; query; ) {
      const { items, next_cursor } = await list("rob", query);
      found.push(...items.map(({ id }) => id));
      query = next_cursor ? `?limit=2&cursor=${next_cursor}` : "";
    }
    expect(found).toHaveLength(7);
    expect(new Set(found)).toEqual(new Set(made.map(({ id }) => id)));
    for (const cursor of ["x", "e30", Buffer.from('{"at":1e99,"key":"a"}').toString("base64url"), "%00"]) {
      expect(await answer({ path: `${TOKENS}?cursor=${cursor}`, user: "rob" })).toBe("400 invalid_request");
    }
  });

  it("are audited with who made and revoked them, by which request", async () => {
    const headers = { "x-request-id": "made-by-sam" };
    const { id } = await dataOf<Token>(api.url, { path: TOKENS, user: "sam", headers, body: { name: "t" } });
    await call(api.url, { ...remove("sam", id), headers: { "x-request-id": "ended-by-sam" } });
    const events = (await audited()).filter(({ object }) => object === `token:${id}`);
    const by = { actor: "human:sam", scheme: "internal-key", outcome: "succeeded" };
    expect(events).toMatchObject([
      { ...by, action: "token.create", request_id: "made-by-sam", detail: { tenant: "human:sam", made_with: null } },
      { ...by, action: "token.revoke", request_id: "ended-by-sam" },
    ]);
  });

  it("tell when they were last used, to the minute", async () => {
    const { id, token } = await mint("tom");
    const row = () =>
      api.database.db.selectFrom("credentials").select("last_used_at").where("id", "=", id).executeTakeFirst();
    await use(token);
    await clock.advance(20_000);
    const at = clock.now();
    await use(token);
    expect(await row()).toEqual({ last_used_at: null });
    await clock.advance(40_000);
    await expect.poll(async () => (await list("tom")).items, { timeout: 50_000 }).toMatchObject([{ last_used_at: at }]);
  });

  it("leave no trace by which they could be used", async () => {
    const { token, id } = await mint("una");
    await use(token);
    await use(`${token.slice(0, -1)}x`);
    const child = await dataOf<Token>(api.url, mintWith(token));
    await call(api.url, remove("una", id));
    const kept = `${await dumpTables(api.database)}\n${logged.join("\n")}`;
    expect(kept).toContain(id);
    for (const { token: secret } of [{ token }, child]) {
      expect(kept).not.toContain(secret);
      expect(kept).not.toContain(secret.slice("oa_live_".length));
      expect(kept).not.toContain(secret.slice(-20));
    }
  });
});
