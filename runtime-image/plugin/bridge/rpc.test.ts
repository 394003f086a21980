import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type Dispatch, MAX_BODY_BYTES, serveRpc } from "./rpc.js";

describe("the bridge", () => {
  let server: Server | undefined;

  afterEach(async () => {
    server?.close();
    if (server?.listening) await once(server, "close");
  });

  async function serve(dispatch: Dispatch, maxBodyBytes?: number): Promise<string> {
    const limits = maxBodyBytes === undefined ? {} : { maxBodyBytes };
    server = createServer((request, response) => void serveRpc(request, response, dispatch, limits));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hatchery/rpc`;
  }

  async function post(url: string, body: string): Promise<{ status: number; body: unknown }> {
    const response = await fetch(url, { method: "POST", body });
    return { status: response.status, body: await response.json() };
  }

  it("passes method and params on and answers with the payload", async () => {
    const dispatch = vi.fn<Dispatch>(async () => ({ ok: true, payload: { sessions: [] } }));
    const url = await serve(dispatch);
    const call = { method: "sessions.list", params: { limit: 2 }, timeoutMs: 50 };
    expect(await post(url, JSON.stringify(call))).toEqual({
      status: 200,
      body: { ok: true, payload: { sessions: [] } },
    });
    expect(await post(url, '{"method":"health"}')).toMatchObject({ status: 200 });
    expect(dispatch.mock.calls).toEqual([
      ["sessions.list", { limit: 2 }, { timeoutMs: 50 }],
      ["health", {}, {}],
    ]);
  });

  it.each([
    ["", "not valid JSON"],
    ["{", "not valid JSON"],
    ["[]", "not a JSON object"],
    ["null", "not a JSON object"],
    ["{}", "method: expected a non-empty string"],
    ['{"method":7}', "method: expected a non-empty string"],
    ['{"method":"a","params":"b"}', "params: expected an object"],
    ['{"method":"a","params":null}', "params: expected an object"],
    ['{"method":"a","timeoutMs":0}', "timeoutMs: expected a positive integer"],
  ])("refuses %j and says why", async (body, why) => {
    const dispatch = vi.fn<Dispatch>();
    const answer = await post(await serve(dispatch), body);
    expect(answer).toMatchObject({ status: 400, body: { ok: false, error: { code: "INVALID_REQUEST" } } });
    expect(JSON.stringify(answer.body)).toContain(why);
    expect(dispatch).not.toHaveBeenCalled();
  });

  it.each([
    ["INVALID_REQUEST", 400],
    ["FORBIDDEN", 403],
    ["APPROVAL_NOT_FOUND", 404],
    ["UNAVAILABLE", 503],
    ["AGENT_TIMEOUT", 504],
    ["SOMETHING_NEW", 500],
  ])("answers OpenClaw's error %s with status %i and its words", async (code, status) => {
    const error = { code, message: "it did not work", retryAfterMs: 5 };
    const url = await serve(async () => ({ ok: false, error }));
    expect(await post(url, '{"method":"a"}')).toEqual({ status, body: { ok: false, error } });
  });

  it("answers 503 to a failure without a reason and 500 to one that is thrown", async () => {
    const outcomes: Dispatch[] = [
      async () => ({ ok: false }),
      async () => {
        throw new Error("boom");
      },
    ];
    const url = await serve((...call) => (outcomes.shift() as Dispatch)(...call));
    expect(await post(url, '{"method":"a"}')).toMatchObject({ status: 503, body: { error: { code: "UNAVAILABLE" } } });
    expect(await post(url, '{"method":"a"}')).toEqual({
      status: 500,
      body: { ok: false, error: { code: "INTERNAL", message: "boom" } },
    });
  });

  it("refuses other methods and bodies over the limit", async () => {
    const dispatch = vi.fn<Dispatch>();
    const url = await serve(dispatch, 64);
    const get = await fetch(url);
    expect([get.status, get.headers.get("allow")]).toEqual([405, "POST"]);
    const large = await post(url, JSON.stringify({ method: "a", params: { text: "x".repeat(100_000) } }));
    expect(large).toMatchObject({ status: 413, body: { error: { code: "PAYLOAD_TOO_LARGE" } } });
    expect(dispatch).not.toHaveBeenCalled();
    expect(MAX_BODY_BYTES).toBe(20 * 1024 * 1024);
  });
});
