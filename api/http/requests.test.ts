import { once } from "node:events";
import { request } from "node:http";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { type ApiUnderTest, as, GATEWAY_TOKEN, INTERNAL_KEY, startApi } from "../testing/api-under-test.ts";
import { call, open } from "../testing/client.ts";
import { eventually } from "../testing/eventually.ts";
import { beginEvents, type ScriptedGateway, sendJson, startScriptedGateway } from "../testing/scripted-gateway.ts";
import { CHAT_BODY_BYTES, TOOL_BODY_BYTES } from "./body.ts";

const clock = new ManualClock();
let api: ApiUnderTest;
let gateway: ScriptedGateway;

beforeAll(async () => {
  api = await startApi({ clock, maxStreams: 2 });
  gateway = await startScriptedGateway();
  api.gateways.set("human:alice", { origin: gateway.origin, token: GATEWAY_TOKEN });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

beforeEach(() => {
  gateway.seen.length = 0;
  gateway.on((_req, res) => sendJson(res, 200, { ok: true, result: { details: {} } }));
});

describe("every answer", () => {
  it.each([
    ["/api/openclaw", null, 200],
    ["/api/openclaw/sessions", "alice", 200],
    ["/api/openclaw/sessions", null, 401],
    ["/api/openclaw/sessions", "nobody", 404],
    ["/api/none", null, 404],
    ["/other", null, 404],
  ])("of %s for %s has our envelope, an id and no-store", async (path, user, status) => {
    const answer = await call(api.url, { path, user });
    expect(answer.status).toBe(status);
    const id = answer.headers["x-request-id"];
    expect(answer.headers).toMatchObject({
      "cache-control": "no-store",
      "content-type": "application/json; charset=utf-8",
    });
    expect(Object.keys(answer.headers)).not.toContain("x-powered-by");
    expect(Object.keys(answer.headers)).not.toContain("etag");
    expect(answer.json).toEqual(
      status === 200
        ? { ok: true, data: expect.anything(), error: null, requestId: id }
        : { ok: false, data: null, error: expect.any(String), code: expect.stringMatching(/^[a-z_]+$/), requestId: id },
    );
  });

  it.each([
    ["/v1/models", null, 401, "authentication_error", "unauthorized"],
    ["/v1/models", "nobody", 404, "not_found_error", "instance_not_found"],
    ["/v1/none", null, 404, "not_found_error", "not_found"],
    ["/v1", null, 404, "not_found_error", "not_found"],
  ])("of %s for %s has OpenAI's shape when it is an error", async (path, user, status, type, code) => {
    const answer = await call(api.url, { path, user });
    expect(answer.status).toBe(status);
    expect(answer.json).toEqual({ error: { message: expect.any(String), type, param: null, code } });
    expect(answer.headers["x-request-id"]).toMatch(/^request-/);
  });

  it.each([
    ["my-id_1.2", true],
    ["x".repeat(64), true],
    ["x".repeat(65), false],
    ["a b", false],
    ["a;b", false],
  ])("takes over the request id %s: %s", async (id, isTaken) => {
    const { headers } = await call(api.url, { path: "/api/openclaw", headers: { "x-request-id": id } });
    expect(headers["x-request-id"] === id).toBe(isTaken);
  });

  it("opens an operation's error with its name and step, and says only who to a stranger", async () => {
    const { json } = await call(api.url, { path: "/api/openclaw/sessions", user: "nobody" });
    expect(json).toMatchObject({ error: "openclaw listSessions get_instance: instance not found" });
    const stranger = await call(api.url, { path: "/api/openclaw/sessions", user: null });
    expect(stranger.json).toMatchObject({ error: "unauthorized" });
  });
});

describe("a path", () => {
  it.each([
    ["PUT", "/api/openclaw/instance", "GET, HEAD, POST, DELETE"],
    ["OPTIONS", "/api/openclaw/instance", "GET, HEAD, POST, DELETE"],
    ["GET", "/api/openclaw/chat", "POST"],
    ["DELETE", "/api/openclaw/sessions/main/history", "GET, HEAD"],
    ["PATCH", "/v1/responses", "POST"],
    ["HEAD", "/api/openclaw/instance/watch", "GET"],
  ])("refuses %s %s and says what it knows", async (method, path, allow) => {
    const { status, headers } = await call(api.url, { method, path });
    expect([status, headers.allow]).toEqual([405, allow]);
  });

  it("that can't be decoded is the caller's fault", async () => {
    const { status, json } = await call(api.url, { path: "/api/openclaw/sessions/%E0%A4%A/history" });
    expect([status, json]).toMatchObject([400, { code: "invalid_request" }]);
  });

  it.each([
    ["GET", "/api/none"],
    ["POST", "/api/openclaw/none"],
    ["DELETE", "/api/control/openclaw/instance"],
    ["PUT", "/openclaw/instance"],
    ["GET", "/v1/none"],
    ["GET", "/"],
    ["GET", "/assistant"],
    ["GET", "/index.html"],
  ])("that nobody knows is a 404 in JSON, also for a browser: %s %s", async (method, path) => {
    for (const accept of ["text/html,application/xhtml+xml", "application/json", "text/event-stream", "*/*"]) {
      const { status, headers, json } = await call(api.url, { method, path, headers: { accept } });
      expect([status, headers["content-type"]]).toEqual([404, "application/json; charset=utf-8"]);
      expect(JSON.stringify(json)).toContain('"code":"not_found"');
    }
  });

  it("with a credential in it is one without a credential", async () => {
    const query = `oa_internal_key=${INTERNAL_KEY}&internal_key=${INTERNAL_KEY}&user_id=alice&x-oa-user-id=alice`;
    for (const headers of [{}, { "x-oa-user-id": "alice" }]) {
      const answer = await call(api.url, { path: `/api/openclaw/sessions?${query}`, user: null, headers });
      expect([answer.status, answer.json]).toMatchObject([401, { code: "unauthorized" }]);
      expect(answer.text).not.toContain(INTERNAL_KEY);
    }
    expect(gateway.seen).toHaveLength(0);
  });

  it("lists the operations", async () => {
    const { json } = await call(api.url, { path: "/api/openclaw", user: null });
    expect(json).toMatchObject({ data: { getInstance: "/api/openclaw/instance", chat: "/api/openclaw/chat" } });
  });
});

describe("a body", () => {
  const tool = (body: unknown, headers = {}) => call(api.url, { path: "/api/openclaw/tools/invoke", body, headers });
  const chat = (body: unknown, headers = {}) => call(api.url, { path: "/api/openclaw/chat", body, headers });

  it.each([
    ["chat", "/api/openclaw/chat", CHAT_BODY_BYTES],
    ["tools", "/api/openclaw/tools/invoke", TOOL_BODY_BYTES],
    ["completions", "/v1/chat/completions", CHAT_BODY_BYTES],
  ])("over the limit is refused, announced or not (%s)", async (_name, path, limit) => {
    const big = JSON.stringify({ tool: "x", input: "x".repeat(limit) });
    const headers = { ...as("alice"), "content-length": big.length };
    const announced = request(api.url + path, { method: "POST", headers, agent: false });
    announced.write("{");
    const [answer] = await once(announced, "response");
    expect(answer.statusCode).toBe(413);
    announced.once("error", () => undefined);
    const closed = once(announced, "close");
    answer.resume();
    // Whoever goes on sending is cut off.
    await clock.advance(10_000);
    await closed;
    const chunked = await call(api.url, { path, body: big, headers: { "transfer-encoding": "chunked" } });
    expect(chunked.status).toBe(413);
    expect(gateway.seen).toHaveLength(0);
  });

  it("under the limit passes, whatever its size", async () => {
    const { status } = await chat({ input: "x".repeat(CHAT_BODY_BYTES - 100) });
    expect(status).toBe(200);
    expect(gateway.seen[0]?.body.length).toBeGreaterThan(CHAT_BODY_BYTES - 100);
  });

  it("passes whatever brackets stand in its strings", async () => {
    const input = `\\"${"[{".repeat(1000)}\\`;
    expect((await chat({ input, deep: JSON.parse(`${"[".repeat(199)}${"]".repeat(199)}`) })).status).toBe(200);
    expect(JSON.parse(gateway.seen[0]?.body ?? "")).toMatchObject({ input });
  });

  it("that is coded is refused", async () => {
    const { status, json } = await tool("{}", { "content-encoding": "gzip" });
    expect([status, json]).toMatchObject([400, { error: expect.stringContaining("content-encoding") }]);
  });

  it.each<[string, unknown, string]>([
    ["nothing", undefined, "body: missing request body"],
    ["broken JSON", '{"tool":', "body: not valid JSON"],
    ["a list", "[]", "body: "],
    ["no tool", {}, "tool: "],
    ["args that are no object", { tool: "x", args: [1] }, "args: "],
    ["a flag that is none", { tool: "x", dryRun: "yes" }, "dryRun: "],
    ["a field nobody knows", { tool: "x", tol: 1 }, '"tol"'],
    ["a header that may not pass", { tool: "x", headers: { authorization: "x" } }, '"authorization"'],
    ["a session of another agent", { tool: "x", sessionKey: "agent:other:x" }, "sessionKey: "],
  ])("of %s is refused with the path of the field", async (_name, body, path) => {
    const { status, json } = await call(api.url, { method: "POST", path: "/api/openclaw/tools/invoke", body });
    expect(status).toBe(400);
    expect(json).toMatchObject({
      code: "invalid_request",
      error: expect.stringContaining("openclaw invokeTool validate: "),
    });
    expect(json).toMatchObject({ error: expect.stringContaining(path) });
    expect(gateway.seen).toHaveLength(0);
  });

  it.each<[unknown, string]>([
    ["", "missing request body"],
    ["[]", "expected a JSON object"],
    ['"text"', "expected a JSON object"],
    ["{", "not valid JSON"],
    [`{"input": ${"[".repeat(5000)}${"]".repeat(5000)}}`, "nested deeper than 200"],
    [`{"input": "[[[[\\"", "a": ${"[".repeat(200)}${"]".repeat(200)}}`, "nested deeper than 200"],
    [{ user: 7 }, "user: "],
    [{ stream: "yes" }, "stream: "],
  ])("of a chat must be an object, %j is not enough", async (body, text) => {
    const answer = await call(api.url, { method: "POST", path: "/api/openclaw/chat", body });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(text);
    const openai = await call(api.url, { method: "POST", path: "/v1/responses", body });
    expect(openai.json).toMatchObject({
      error: { type: "invalid_request_error", message: expect.stringContaining(text) },
    });
  });

  it("that is no UTF-8 is refused, not mended", async () => {
    const body = Buffer.from([...Buffer.from('{"tool":"'), 0xff, ...Buffer.from('"}')]);
    const answer = await fetch(`${api.url}/api/openclaw/tools/invoke`, { method: "POST", headers: as("alice"), body });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("body: not UTF-8")]);
  });

  it("is not read for a tenant that has no instance", async () => {
    const { status } = await call(api.url, { path: "/api/openclaw/tools/invoke", user: "nobody", body: "{" });
    expect(status).toBe(404);
  });

  it("that never ends is given up", async () => {
    const req = request(`${api.url}/api/openclaw/tools/invoke`, { method: "POST", headers: as("alice"), agent: false });
    const answered = once(req, "response");
    req.write("{");
    await eventually(async () => {
      await clock.advance(60_000);
      return Promise.race([answered.then(() => true), new Promise((resolve) => setImmediate(() => resolve(false)))]);
    }).toBe(true);
    const [res] = await answered;
    expect(res.statusCode).toBe(408);
    req.destroy();
  });

  it("says in which tool and session it is meant", async () => {
    gateway.on((_req, res) => sendJson(res, 200, { ok: true, result: { content: [] } }));
    const body = { tool: "sessions_list", action: "a", args: { limit: 1 }, sessionKey: "Main", dryRun: true };
    const answer = await tool({ ...body, headers: { "x-openclaw-account-id": "acc" } });
    expect(answer.json).toMatchObject({ ok: true, data: { content: [] } });
    expect(JSON.parse(gateway.seen[0]?.body ?? "")).toEqual({ ...body, sessionKey: "main" });
    expect(gateway.seen[0]).toMatchObject({ path: "/tools/invoke", headers: { "x-openclaw-account-id": "acc" } });
  });
});

describe("a tenant's limit", () => {
  it("refuses the third open call, of this tenant alone, and frees places as calls end", async () => {
    // A gateway of his own, as every tenant has: one gateway gets no more connections than its tenant may have calls.
    await using gatewayOfBob = await startScriptedGateway((_req, res) => beginEvents(res));
    api.gateways.set("human:bob", { origin: gatewayOfBob.origin, token: GATEWAY_TOKEN });
    gateway.on((_req, res) => beginEvents(res));
    const chat = { path: "/api/openclaw/chat", body: { input: "x" } };
    const first = await open(api.url, chat);
    const second = await open(api.url, chat);
    const third = await call(api.url, chat);
    expect([third.status, third.headers["retry-after"]]).toEqual([429, "1"]);
    expect(third.json).toMatchObject({ code: "too_many_streams" });
    const other = await open(api.url, { ...chat, user: "bob" });
    expect(other.status).toBe(200);
    for (const answer of [first, second, other]) {
      answer.stream.once("error", () => undefined);
      answer.leave();
    }
    gateway.on((_req, res) => sendJson(res, 200, {}));
    await eventually(async () => (await call(api.url, chat)).status).toBe(200);
  });
});
