import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiUnderTest, GATEWAY_TOKEN, startApi } from "../testing/api-under-test.ts";
import { call, open } from "../testing/client.ts";
import { beginEvents, type ScriptedGateway, startScriptedGateway } from "../testing/scripted-gateway.ts";

const CONSOLE = "https://console.example.org";
let api: ApiUnderTest;
let closed: ApiUnderTest;
let gateway: ScriptedGateway;

beforeAll(async () => {
  api = await startApi({ allowedOrigins: new Set([CONSOLE, "http://localhost:3000"]) });
  closed = await startApi({ allowedOrigins: new Set() });
  gateway = await startScriptedGateway((_req, res) => {
    beginEvents(res);
    res.end("data: [DONE]\n\n");
  });
  api.gateways.set("human:alice", { origin: gateway.origin, token: GATEWAY_TOKEN });
});

afterAll(async () => {
  await Promise.all([api, closed, gateway].map((one) => one[Symbol.asyncDispose]()));
});

const corsHeaders = (headers: object) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith("access-control-")));
const preflight = (url: string, origin: string, path = "/api/openclaw/instance") =>
  call(url, {
    method: "OPTIONS",
    path,
    user: null,
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type,x-oa-agent-key",
    },
  });

describe("a preflight", () => {
  it.each([CONSOLE, "http://localhost:3000"])(
    "of %s is answered with what the API reads, and no cookie",
    async (origin) => {
      const { status, headers, text } = await preflight(api.url, origin);
      expect([status, text, headers.vary]).toEqual([204, "", "origin"]);
      const { "access-control-allow-headers": allowed, ...rest } = corsHeaders(headers);
      expect(rest).toEqual({
        "access-control-allow-origin": origin,
        "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
        "access-control-max-age": "86400",
      });
      expect(String(allowed).split(", ").toSorted()).toEqual([
        "authorization",
        "content-type",
        "if-none-match",
        "x-api-key",
        "x-oa-agent-key",
        "x-oa-internal-key",
        "x-oa-user-email",
        "x-oa-user-id",
        "x-openclaw-account-id",
        "x-openclaw-agent-id",
        "x-openclaw-message-channel",
        "x-openclaw-session-key",
        "x-request-id",
      ]);
    },
  );

  it.each([
    "https://evil.example.org",
    "https://console.example.org.evil.example",
    "https://console.example.org/",
    "http://console.example.org",
    "https://CONSOLE.example.org",
    "null",
    "*",
    "",
  ])("of %j gets nothing", async (origin) => {
    const { status, headers } = await preflight(api.url, origin);
    expect([status, corsHeaders(headers), headers.vary]).toEqual([405, {}, "origin"]);
  });

  it("gets nothing where no origin is listed", async () => {
    const { status, headers } = await preflight(closed.url, CONSOLE);
    expect([status, corsHeaders(headers), headers.vary]).toEqual([405, {}, undefined]);
  });
});

describe("a call", () => {
  it.each([
    ["/api/openclaw", null, 200],
    ["/api/openclaw/sessions", null, 401],
    ["/api/none", null, 404],
    ["/v1/models", "nobody", 404],
  ])("of %s from a listed origin may be read by its page, whatever the answer (%s: %i)", async (path, user, status) => {
    const answer = await call(api.url, { path, user, headers: { origin: CONSOLE } });
    expect([answer.status, answer.headers.vary]).toEqual([status, "origin"]);
    expect(corsHeaders(answer.headers)).toEqual({
      "access-control-allow-origin": CONSOLE,
      "access-control-expose-headers": "x-request-id, retry-after, x-openclaw-session-key",
    });
  });

  it("that is answered with a stream, too", async () => {
    const chat = { path: "/api/openclaw/chat", body: { input: "x" }, headers: { origin: CONSOLE } };
    const answer = await open(api.url, chat);
    expect(answer.headers).toMatchObject({ "access-control-allow-origin": CONSOLE, vary: "origin" });
    answer.leave();
  });

  it.each([undefined, "https://evil.example.org"])("from %s is served, and no page may read it", async (origin) => {
    const { status, headers } = await call(api.url, { path: "/api/openclaw", headers: origin ? { origin } : {} });
    expect([status, corsHeaders(headers), headers.vary]).toEqual([200, {}, "origin"]);
  });
});
