import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { GATEWAY_TOKEN, startApi } from "../testing/api-under-test.ts";
import { open, start } from "../testing/client.ts";
import { eventually } from "../testing/eventually.ts";
import { beginEvents, type Script, startScriptedGateway } from "../testing/scripted-gateway.ts";
import { HEARTBEAT, HEARTBEAT_MS } from "./heartbeat.ts";

const CHAT = { path: "/api/openclaw/chat", body: { input: "hello", stream: true } };

/** An API whose user alice has a gateway; the gateway's response of each request is handed to the test. */
async function startChat(o: { clock?: ManualClock } = {}) {
  const api = await startApi(o);
  const gateway = await startScriptedGateway();
  api.gateways.set("human:alice", { origin: gateway.origin, token: GATEWAY_TOKEN });
  onTestFinished(async () => {
    await api[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });
  const reached = (script?: Script) => {
    const { promise, resolve } = Promise.withResolvers<ServerResponse>();
    gateway.on((req, res) => {
      resolve(res);
      return script?.(req, res);
    });
    return promise;
  };
  return { api, gateway, reached };
}

describe("an answer that was not completed", () => {
  const count = (api: { registry: { getSingleMetricAsString(name: string): Promise<string> } }) =>
    api.registry.getSingleMetricAsString("hatchery_api_requests_total");

  it("counts as 502 when the gateway broke it off", async () => {
    const { api, reached } = await startChat();
    const upstream = reached((_req, res) => beginEvents(res));
    const answer = await open(api.url, CHAT);
    (await upstream).destroy();
    await expect(answer.next()).rejects.toThrow();
    await eventually(() => count(api)).toMatch(/chat",code="502"} 1/);
  });

  it("counts as 499 when the client left", async () => {
    const { api, reached } = await startChat();
    const upstream = reached((_req, res) => beginEvents(res));
    const answer = await open(api.url, CHAT);
    const closed = once(await upstream, "close");
    answer.stream.once("error", () => undefined);
    answer.leave();
    await closed;
    await eventually(() => count(api)).toMatch(/chat",code="499"} 1/);
  });
});

describe("a streamed chat", () => {
  it("hands on the head before the first byte, and each event before the next exists", async () => {
    const { api, reached } = await startChat();
    const upstream = reached((_req, res) => beginEvents(res));
    const answer = await open(api.url, CHAT);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
      "x-openclaw-session-key": "main",
    });
    const res = await upstream;
    for (const event of ["data: one\n\n", "data: two\n\n", "data: [DONE]\n\n"]) {
      res.write(event);
      expect(await answer.next()).toBe(event);
    }
    res.end();
    expect(await answer.next()).toBeUndefined();
  });

  it("changes no byte, however the gateway cuts them", async () => {
    const { api, reached } = await startChat();
    const sent = randomBytes(300_000);
    void reached(async (_req, res) => {
      beginEvents(res);
      for (let at = 0; at < sent.length; ) {
        const size = 1 + (sent[at] ?? 0) * 40;
        if (!res.write(sent.subarray(at, at + size))) await once(res, "drain");
        at += size;
      }
      res.end();
    });
    const answer = await open(api.url, CHAT);
    expect(Buffer.compare(await buffer(answer.stream), sent)).toBe(0);
  });

  it("stops the gateway's work when the client leaves in the middle", async () => {
    const { api, reached } = await startChat();
    const upstream = reached((_req, res) => beginEvents(res));
    const answer = await open(api.url, CHAT);
    const res = await upstream;
    res.write("data: one\n\n");
    await answer.next();
    answer.stream.once("error", () => undefined);
    answer.leave();
    await once(res, "close");
    expect(res.writableFinished).toBe(false);
    await eventually(() => api.registry.getSingleMetricAsString("hatchery_proxy_requests_total")).toContain(
      'code="499"',
    );
    expect(await api.registry.getSingleMetricAsString("hatchery_proxy_open_streams")).toContain('{kind="sse"} 0');
  });

  it("stops the gateway's work when the client leaves before any answer", async () => {
    const { api, reached } = await startChat();
    const upstream = reached();
    const { promise, leave } = start(api.url, CHAT);
    const res = await upstream;
    leave();
    await expect(promise).rejects.toThrow("socket hang up");
    await once(res, "close");
  });

  it("shows a cut answer as cut, never as a whole one", async () => {
    const { api, reached } = await startChat();
    const upstream = reached((_req, res) => beginEvents(res));
    const answer = await open(api.url, CHAT);
    const res = await upstream;
    res.write("data: one\n\n");
    expect(await answer.next()).toBe("data: one\n\n");
    res.destroy();
    await expect(answer.next()).rejects.toThrow("aborted");
    const errors = await api.registry.getSingleMetricAsString("hatchery_proxy_upstream_errors_total");
    expect(errors).toContain('{reason="truncated"} 1');
  });

  it("says a word into silence, between events only", async () => {
    const clock = new ManualClock();
    const { api, reached } = await startChat({ clock });
    const upstream = reached((_req, res) => beginEvents(res));
    const answer = await open(api.url, CHAT);
    const res = await upstream;
    await clock.advance(HEARTBEAT_MS);
    expect(await answer.next()).toBe(HEARTBEAT);

    res.write("data: half");
    expect(await answer.next()).toBe("data: half");
    await clock.advance(3 * HEARTBEAT_MS);
    res.write(" an event\n\n");
    expect(await answer.next()).toBe(" an event\n\n");

    await clock.advance(HEARTBEAT_MS - 1);
    res.write("data: in time\r\n\r\n");
    expect(await answer.next()).toBe("data: in time\r\n\r\n");
    await clock.advance(HEARTBEAT_MS - 1);
    await clock.advance(1);
    expect(await answer.next()).toBe(HEARTBEAT);
    res.end();
    expect(await answer.next()).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  it("puts no comment into an answer that is no event stream", async () => {
    const clock = new ManualClock();
    const { api, reached } = await startChat({ clock });
    const upstream = reached((_req, res) => {
      res.writeHead(200, { "content-type": "application/json" });
      res.flushHeaders();
    });
    const answer = await open(api.url, CHAT);
    await clock.advance(10 * HEARTBEAT_MS);
    (await upstream).end("{}");
    expect(await answer.next()).toBe("{}");
  });
});
