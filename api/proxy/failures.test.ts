import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { type ApiUnderTest, GATEWAY_TOKEN, startApi } from "../testing/api-under-test.ts";
import { call } from "../testing/client.ts";
import { type Script, type ScriptedGateway, sendJson, startScriptedGateway } from "../testing/scripted-gateway.ts";
import { MAX_ANSWER_BYTES } from "./call-gateway.ts";
import { READ_TIMEOUT_MS } from "./proxy.ts";

const clock = new ManualClock();
let api: ApiUnderTest;
let gateway: ScriptedGateway;

beforeAll(async () => {
  api = await startApi({ clock });
  gateway = await startScriptedGateway();
  api.gateways.set("human:alice", { origin: gateway.origin, token: GATEWAY_TOKEN });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

const chat = () => call(api.url, { path: "/api/openclaw/chat", body: { input: "x" } });
const complete = () => call(api.url, { path: "/v1/chat/completions", body: { messages: [] } });
const sessions = () => call(api.url, { path: "/api/openclaw/sessions" });

const refusal = (status: number, type: string, message: string, headers?: Record<string, string>): Script => {
  return (_req, res) => sendJson(res, status, { error: { type, message } }, headers);
};

describe("an error of the gateway", () => {
  it.each([
    [400, "invalid_request_error"],
    [403, "forbidden"],
    [404, "not_found"],
    [408, "api_error"],
    [413, "invalid_request_error"],
    [429, "rate_limit_error"],
    [500, "api_error"],
    [502, "api_error"],
    [503, "service_unavailable"],
  ])("%d keeps its status and its words, in our envelope", async (status, type) => {
    gateway.on(refusal(status, type, "in its words"));
    for (const { answer, operation } of [
      { answer: await chat(), operation: "chat" },
      { answer: await sessions(), operation: "listSessions" },
    ]) {
      expect(answer.status).toBe(status);
      expect(answer.json).toMatchObject({
        ok: false,
        data: null,
        code: type,
        error: `openclaw ${operation} gateway: in its words`,
        requestId: answer.headers["x-request-id"],
      });
    }
  });

  it("reaches an OpenAI SDK as the gateway wrote it", async () => {
    gateway.on(refusal(429, "rate_limit_error", "slow down", { "retry-after": "7" }));
    const { status, headers, json } = await complete();
    expect([status, headers["retry-after"], json]).toEqual([
      429,
      "7",
      { error: { type: "rate_limit_error", message: "slow down" } },
    ]);
  });

  it.each([
    ["chat", chat],
    ["sessions", sessions],
    ["completions", complete],
  ])("401 is never the caller's: somebody else lives at that address (%s)", async (_name, send) => {
    gateway.on(refusal(401, "unauthorized", "Unauthorized"));
    const { status, headers, text } = await send();
    expect([status, headers["retry-after"]]).toEqual([503, "2"]);
    expect(text).toContain('"instance_moved"');
    expect(text).not.toContain("nauthorized");
  });

  it("401 of the model provider is the provider's", async () => {
    gateway.on(refusal(401, "authentication_error", "Incorrect API key provided"));
    const { status, json } = await chat();
    expect(status).toBe(502);
    expect(json).toMatchObject({ code: "model_unauthorized", error: expect.stringContaining("Incorrect API key") });
  });

  it("without a readable body still has its status", async () => {
    gateway.on((_req, res) => void res.writeHead(500, { "content-type": "text/html" }).end("<h1>secret path /x</h1>"));
    const { status, json } = await chat();
    expect(status).toBe(500);
    expect(json).toMatchObject({ code: "gateway_error", error: "openclaw chat gateway: the instance answered 500" });
  });

  it("asks for patience while the gateway restarts", async () => {
    gateway.on(refusal(503, "service_unavailable", "suspending"));
    expect((await chat()).headers["retry-after"]).toBe("5");
  });

  it("a redirect is not followed and not passed on", async () => {
    gateway.on((_req, res) => void res.writeHead(302, { location: "http://127.0.0.1:1/" }).end());
    expect((await chat()).status).toBe(502);
    expect((await complete()).status).toBe(502);
    expect((await sessions()).status).toBe(502);
  });

  it.each([
    ["what is no tool result", "[]"],
    ["what is no JSON", "<html>"],
  ])("%s is a 502", async (_name, body) => {
    gateway.on((_req, res) => void res.end(body));
    const { status, json } = await sessions();
    expect([status, json]).toMatchObject([502, { code: "gateway_error" }]);
  });
});

describe("an answer that is needed whole", () => {
  const whole = (bytes: number) =>
    JSON.stringify({ ok: true, result: "x".repeat(bytes - '{"ok":true,"result":""}'.length) });

  it("may be as long as the limit", async () => {
    gateway.on((_req, res) => void res.end(whole(MAX_ANSWER_BYTES)));
    expect((await sessions()).status).toBe(200);
  });

  it("is refused above it, as soon as its length is known", async () => {
    for (const announced of [true, false]) {
      const left = Promise.withResolvers<void>();
      gateway.on((_req, res) => {
        res.once("close", left.resolve);
        if (announced) res.setHeader("content-length", MAX_ANSWER_BYTES + 1);
        // Announced, the first byte is enough.
        res.write(announced ? "{" : whole(MAX_ANSWER_BYTES + 1));
      });
      const { status, json } = await sessions();
      expect([status, json]).toMatchObject([502, { code: "gateway_error", error: expect.stringContaining("limit") }]);
      await left.promise;
    }
  });
});

describe("a gateway that fails", () => {
  it("before an answer, after the call arrived: 502, and an SDK is told not to try again", async () => {
    gateway.on((_req, res) => void res.destroy());
    expect([(await chat()).status, (await sessions()).status]).toEqual([502, 502]);
    const { status, headers, json } = await complete();
    expect([status, headers["x-should-retry"]]).toEqual([502, "false"]);
    expect(json).toMatchObject({ error: { type: "api_error", code: "gateway_error" } });
    // It may have run: nobody repeated it.
    expect(gateway.seen.slice(-3)).toHaveLength(3);
  });

  it("to exist: 503 with Retry-After, since nothing can have run", async () => {
    const free = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => free.once("listening", resolve));
    const { port } = free.address() as AddressInfo;
    await new Promise((resolve) => free.close(resolve));
    api.gateways.set("human:gone", { origin: `http://127.0.0.1:${port}`, token: GATEWAY_TOKEN });
    for (const path of ["/api/openclaw/sessions", "/v1/models"]) {
      const { status, headers, text } = await call(api.url, { path, user: "gone" });
      expect([status, headers["retry-after"]]).toEqual([503, "2"]);
      expect(text).toContain("instance_unreachable");
      expect(text).not.toContain(String(port));
    }
  });

  it("to speak HTTP: 502", async () => {
    const odd = createServer((socket) => void socket.resume().end("SSH-2.0-odd\r\n")).listen(0, "127.0.0.1");
    await new Promise((resolve) => odd.once("listening", resolve));
    const { port } = odd.address() as AddressInfo;
    api.gateways.set("human:odd", { origin: `http://127.0.0.1:${port}`, token: GATEWAY_TOKEN });
    expect((await call(api.url, { path: "/v1/models", user: "odd" })).status).toBe(502);
    await new Promise((resolve) => odd.close(resolve));
  });

  it("to answer in time: 504, and its work is stopped", async () => {
    const arrived = Promise.withResolvers<ServerResponse>();
    gateway.on((_req, res) => arrived.resolve(res));
    const answer = sessions();
    const closed = once(await arrived.promise, "close");
    await clock.advance(READ_TIMEOUT_MS);
    const { status, json } = await answer;
    expect([status, json]).toMatchObject([504, { code: "gateway_timeout" }]);
    await closed;
  });
});
