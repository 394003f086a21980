import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ApiUnderTest, as, GATEWAY_TOKEN, INTERNAL_KEY, startApi } from "../testing/api-under-test.ts";
import { call, sendRaw } from "../testing/client.ts";
import { type ScriptedGateway, sendJson, startScriptedGateway } from "../testing/scripted-gateway.ts";

let api: ApiUnderTest;
let alice: ScriptedGateway;
let bob: ScriptedGateway;

beforeAll(async () => {
  api = await startApi();
  alice = await startScriptedGateway((_req, res) => sendJson(res, 200, { of: "alice" }));
  bob = await startScriptedGateway((_req, res) => sendJson(res, 200, { of: "bob" }));
  api.gateways.set("human:alice", { origin: alice.origin, token: GATEWAY_TOKEN });
  api.gateways.set("human:bob", { origin: bob.origin, token: "gateway-token-of-bob" });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await alice[Symbol.asyncDispose]();
  await bob[Symbol.asyncDispose]();
});

beforeEach(() => {
  alice.seen.length = 0;
  bob.seen.length = 0;
});

/** Everything a caller could hope to steer with. */
const HOSTILE: Record<string, string> = {
  "x-oa-instance-id": "bob",
  "x-oa-tenant-key": "human:bob",
  "x-oa-thread-id": "bob",
  "x-oa-user-email": "bob@example.com",
  "x-openclaw-instance-id": "bob",
  "x-openclaw-scopes": "operator.admin",
  "x-openclaw-model": "other/model",
  "x-openclaw-agent": "other",
  "x-forwarded-for": "127.0.0.1",
  "x-forwarded-host": "bob",
  "x-forwarded-proto": "https",
  "x-forwarded-user": "bob",
  forwarded: "for=127.0.0.1",
  "x-real-ip": "127.0.0.1",
  via: "1.1 somewhere",
  cookie: "session=bob",
  authorization: "Bearer sk-of-the-caller",
  "proxy-authorization": "Basic Ym9iOmJvYg==",
  "x-api-key": "sk-of-the-caller",
  te: "trailers",
  "keep-alive": "timeout=100",
  "x-hop": "named by connection",
  connection: "keep-alive, x-hop, authorization",
  origin: "http://bob",
  referer: "http://bob",
  "user-agent": "test",
  "accept-encoding": "gzip, br",
  "content-encoding": "identity",
  "x-http-method-override": "DELETE",
  expect: "100-continue",
};

describe("what a caller sends beside its credential", () => {
  it.each([
    ["POST", "/api/openclaw/chat", { input: "x" }],
    ["POST", "/v1/responses", { input: "x" }],
    ["POST", "/v1/chat/completions", { messages: [] }],
    ["GET", "/v1/models", undefined],
  ])("%s %s: no header but the allowed ones reaches the gateway", async (method, path, body) => {
    const { status, json } = await call(api.url, { method, path, body, headers: HOSTILE });
    expect([status, json]).toEqual([200, { of: "alice" }]);
    expect(bob.seen).toHaveLength(0);
    const [request] = alice.seen;
    expect(request?.method).toBe(method);
    const { host, connection, "content-length": length, "x-request-id": id, ...rest } = request?.headers ?? {};
    expect([host, connection, Number(length ?? 0)]).toEqual([
      new URL(alice.origin).host,
      "keep-alive",
      request?.body.length,
    ]);
    expect(id).toMatch(/^request-\d+$/);
    expect(rest).toEqual({
      accept: "*/*",
      authorization: `Bearer ${GATEWAY_TOKEN}`,
      ...(method === "POST" ? { "content-type": "application/json" } : {}),
      ...(path === "/api/openclaw/chat" ? { "x-openclaw-session-key": "main" } : {}),
    });
  });

  it("passes the four headers of OpenClaw, lower-casing the session key", async () => {
    const headers = {
      "x-openclaw-session-key": "App:U1",
      "x-openclaw-agent-id": "main",
      "x-openclaw-message-channel": "webchat",
      "x-openclaw-account-id": "acc-1",
    };
    const { headers: answered } = await call(api.url, { path: "/api/openclaw/chat", body: { input: "x" }, headers });
    expect(alice.seen[0]?.headers).toMatchObject({ ...headers, "x-openclaw-session-key": "app:u1" });
    expect(answered["x-openclaw-session-key"]).toBe("app:u1");
  });

  it.each([
    ["x-openclaw-session-key", "subagent:x"],
    ["x-openclaw-session-key", "agent:other:x"],
    ["x-openclaw-session-key", "a/../b"],
    ["x-openclaw-session-key", ""],
    ["x-openclaw-agent-id", "../etc"],
    ["x-openclaw-message-channel", "a b"],
    ["x-openclaw-account-id", "x".repeat(129)],
  ])("refuses %s: %s by name", async (name, value) => {
    const { status, json } = await call(api.url, {
      path: "/api/openclaw/chat",
      body: { input: "x" },
      headers: { [name]: value },
    });
    expect(status).toBe(400);
    expect(json).toMatchObject({
      ok: false,
      code: "invalid_request",
      error: expect.stringContaining(`openclaw chat validate: ${name}`),
    });
    expect(alice.seen).toHaveLength(0);
  });

  it("says who speaks and which agent answers, whatever the body says", async () => {
    const body = { model: "openclaw/other", user: "human:bob", input: "x", stream: false, extra: [1] };
    await call(api.url, { path: "/api/openclaw/chat", body });
    expect(JSON.parse(alice.seen[0]?.body ?? "")).toEqual({ ...body, model: "openclaw", user: "human:alice" });
  });

  it("leaves model and user to an SDK's caller, whose session they pick", async () => {
    await call(api.url, { path: "/v1/responses", body: { model: "openclaw/main", user: "conv:7", input: "x" } });
    await call(api.url, { path: "/v1/chat/completions", body: { messages: [] } });
    expect(alice.seen.map(({ body }) => JSON.parse(body))).toEqual([
      { model: "openclaw/main", user: "conv:7", input: "x" },
      { model: "openclaw", messages: [] },
    ]);
  });

  it("sees a doubled header for what it is", async () => {
    const twice = async (name: string, values: string[]) =>
      (await call(api.url, { path: "/v1/models", headers: { [name]: values } })).status;
    expect(await twice("x-oa-user-id", ["alice", "bob"])).toBe(400);
    expect(await twice("x-oa-internal-key", [INTERNAL_KEY, INTERNAL_KEY])).toBe(401);
    expect(await twice("x-openclaw-session-key", ["a", "b"])).toBe(200);
    const chat = { path: "/v1/responses", body: { input: "x" }, headers: { "x-openclaw-session-key": ["a", "b"] } };
    expect((await call(api.url, chat)).status).toBe(400);
    expect(bob.seen).toHaveLength(0);
  });

  it("lets no header of the gateway out but the allowed ones", async () => {
    const leaky = await startScriptedGateway((_req, res) =>
      sendJson(
        res,
        200,
        {},
        {
          "set-cookie": "a=b",
          server: "openclaw",
          "x-powered-by": "x",
          location: "http://10.0.0.1",
          "www-authenticate": "Bearer",
          "x-request-id": "theirs",
          "cache-control": "public, max-age=3600",
          "access-control-allow-origin": "*",
          "x-internal-address": "10.0.0.1",
          connection: "close, x-internal-address",
        },
      ),
    );
    api.gateways.set("human:carol", { origin: leaky.origin, token: GATEWAY_TOKEN });
    const { headers } = await call(api.url, { path: "/v1/models", user: "carol" });
    expect(Object.keys(headers).sort()).toEqual(
      [
        "cache-control",
        "connection",
        "content-type",
        "date",
        "transfer-encoding",
        "vary",
        "x-content-type-options",
        "x-request-id",
      ].sort(),
    );
    expect(headers["cache-control"]).toBe("no-store");
    expect(headers["x-request-id"]).toMatch(/^request-/);
    await leaky[Symbol.asyncDispose]();
  });
});

describe("requests meant to be read twice", () => {
  const head = Object.entries(as("alice"))
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  const hidden = `POST /api/openclaw/chat HTTP/1.1\r\nhost: x\r\nx-oa-internal-key: guess\r\nx-oa-user-id: bob\r\ncontent-length: 2\r\n\r\n{}`;
  const request = (lines: string, body: string) =>
    `POST /v1/responses HTTP/1.1\r\nhost: x\r\n${head}${lines}\r\n${body}`;

  it.each([
    ["two lengths", "content-length: 2\r\ncontent-length: 200\r\n", "{}"],
    ["a length and chunks", `content-length: 2\r\ntransfer-encoding: chunked\r\n`, `2\r\n{}\r\n0\r\n\r\n`],
    ["a coding nobody knows", "transfer-encoding: chunked, identity\r\n", "2\r\n{}\r\n0\r\n\r\n"],
    ["a folded header", "transfer-encoding:\r\n chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"],
    ["a bare line feed", "x-a: b\nx-b: c\r\ncontent-length: 2\r\n", "{}"],
    ["a space before the colon", "content-length : 2\r\n", "{}"],
    ["a null byte", "x-a: b\0c\r\ncontent-length: 2\r\n", "{}"],
  ])("%s", async (_name, lines, body) => {
    const answer = await sendRaw(api.port, request(lines, body) + hidden);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).not.toContain("of");
    expect([...alice.seen, ...bob.seen]).toEqual([]);
  });

  it("a body that looks like a request stays a body", async () => {
    const body = JSON.stringify({ input: hidden });
    const answer = await sendRaw(api.port, request(`connection: close\r\ncontent-length: ${body.length}\r\n`, body));
    expect(answer).toContain('{"of":"alice"}');
    expect(alice.seen).toHaveLength(1);
    expect(bob.seen).toHaveLength(0);
  });

  it.each([
    "//api/openclaw/instance",
    "/api/../v1/models",
    "/API/openclaw",
    "/v1/models/",
    "/v1/%2e%2e/v1/models",
    "/v1//models",
  ])("%s is no path of ours", async (path) => {
    expect((await call(api.url, { path })).status).toBe(404);
    expect(alice.seen).toHaveLength(0);
  });
});
