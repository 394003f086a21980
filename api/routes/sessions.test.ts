import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ApiUnderTest, GATEWAY_TOKEN, startApi } from "../testing/api-under-test.ts";
import { call } from "../testing/client.ts";
import { type ScriptedGateway, sendJson, startScriptedGateway } from "../testing/scripted-gateway.ts";

let api: ApiUnderTest;
let gateway: ScriptedGateway;

beforeAll(async () => {
  api = await startApi();
  gateway = await startScriptedGateway();
  api.gateways.set("human:alice", { origin: gateway.origin, token: GATEWAY_TOKEN });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

beforeEach(() => {
  gateway.seen.length = 0;
});

const result = (details: object) => gateway.on((_req, res) => sendJson(res, 200, { ok: true, result: { details } }));
const asked = () => JSON.parse(gateway.seen[0]?.body ?? "null");

describe("the list of sessions", () => {
  it.each([
    ["", {}],
    ["?limit=5&activeMinutes=60&messageLimit=0", { limit: 5, activeMinutes: 60, messageLimit: 0 }],
    ["?kinds=main,group", { kinds: ["main", "group"] }],
    ["?kinds=main&kinds=cron,group", { kinds: ["main", "cron", "group"] }],
  ])("asks the tool for %j", async (query, args) => {
    result({ sessions: [] });
    const { status, json } = await call(api.url, { path: `/api/openclaw/sessions${query}` });
    expect([status, json]).toMatchObject([200, { ok: true, data: { details: { sessions: [] } } }]);
    expect(asked()).toEqual({ tool: "sessions_list", args });
  });

  it.each(["limit=0", "limit=x", "limit=1.5", "activeMinutes=-1", "messageLimit=-1", "kinds=a/b", "limit=1&limit=2"])(
    "refuses ?%s by name",
    async (query) => {
      const { status, json } = await call(api.url, { path: `/api/openclaw/sessions?${query}` });
      expect(status).toBe(400);
      expect(json).toMatchObject({ error: expect.stringMatching(`validate: ${query.split("=")[0]}`) });
      expect(gateway.seen).toHaveLength(0);
    },
  );
});

it("is never 'no such session' for a list", async () => {
  result({ status: "error", error: "No session found: x" });
  const { status, json } = await call(api.url, { path: "/api/openclaw/sessions" });
  expect([status, json]).toMatchObject([502, { code: "gateway_error", error: expect.stringContaining("No session") }]);
});

describe("a session's history", () => {
  it("asks for the key as the path has it", async () => {
    result({ messages: [] });
    const { status } = await call(api.url, {
      path: "/api/openclaw/sessions/agent%3Amain%3Aapp:u1/history?limit=3&includeTools=yes",
    });
    expect(status).toBe(200);
    expect(asked()).toEqual({
      tool: "sessions_history",
      args: { sessionKey: "agent:main:app:u1", limit: 3, includeTools: true },
    });
  });

  it.each([
    ["error", "No session found: x", 404, "session_not_found"],
    ["error", "Session not found: x (use the full sessionKey from sessions_list)", 404, "session_not_found"],
    ["error", "store is locked", 502, "gateway_error"],
    ["forbidden", "not visible", 403, "forbidden"],
  ])("tells a hidden %s from an answer", async (status, error, expected, code) => {
    result({ status, error });
    const answer = await call(api.url, { path: "/api/openclaw/sessions/x/history" });
    expect(answer.status).toBe(expected);
    expect(answer.json).toMatchObject({ ok: false, code, error: expect.stringContaining(error) });
  });

  it("refuses ?includeTools=perhaps", async () => {
    expect((await call(api.url, { path: "/api/openclaw/sessions/x/history?includeTools=perhaps" })).status).toBe(400);
  });
});

describe("a message into a session", () => {
  const send = (key: string, body: unknown) =>
    call(api.url, { method: "POST", path: `/api/openclaw/sessions/${key}/send`, body });

  it("is a turn of that session, answered whole", async () => {
    const output = [
      { type: "reasoning", content: [{ type: "reasoning_text", text: "hm" }] },
      {
        type: "message",
        content: [
          { type: "output_text", text: "one" },
          { type: "output_text", text: "two" },
        ],
      },
    ];
    gateway.on((_req, res) =>
      sendJson(res, 200, { id: "resp_1", status: "completed", output, usage: { total_tokens: 3 } }),
    );
    const { status, json } = await send("App:U1", { message: "hi", timeoutSeconds: 30 });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      data: {
        sessionKey: "app:u1",
        status: "completed",
        reply: "one\ntwo",
        responseId: "resp_1",
        usage: { total_tokens: 3 },
      },
    });
    expect(gateway.seen[0]).toMatchObject({ path: "/v1/responses", headers: { "x-openclaw-session-key": "app:u1" } });
    expect(asked()).toEqual({ model: "openclaw", input: "hi", stream: false, user: "human:alice" });
  });

  it.each<[string, unknown, string]>([
    ["main", undefined, "missing request body"],
    ["main", {}, "message: "],
    ["main", { message: "" }, "message: "],
    ["main", { message: "x", timeoutSeconds: -1 }, "timeoutSeconds: "],
    ["main", { message: "x", timeoutSeconds: "9" }, "timeoutSeconds: "],
    ["cron:x", { message: "x" }, "key: "],
    ["agent:other:x", { message: "x" }, "key: "],
  ])("to %s with %j is refused by name", async (key, body, text) => {
    const { status, json } = await send(key, body);
    expect(status).toBe(400);
    expect(json).toMatchObject({ error: expect.stringContaining(text) });
    expect(gateway.seen).toHaveLength(0);
  });

  it("answered by something else is a 502", async () => {
    gateway.on((_req, res) => sendJson(res, 200, { choices: [] }));
    expect((await send("main", { message: "x" })).status).toBe(502);
  });
});
