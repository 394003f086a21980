import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { as, GATEWAY_TOKEN, startApi } from "../testing/api-under-test.ts";
import { call } from "../testing/client.ts";
import { eventually } from "../testing/eventually.ts";
import { type ScriptedGateway, sendJson, startScriptedGateway } from "../testing/scripted-gateway.ts";

let gateway: ScriptedGateway;

beforeAll(async () => {
  gateway = await startScriptedGateway();
});

beforeEach(() => {
  gateway.on((_req, res) => sendJson(res, 200, { ok: true, result: { details: {} } }));
});

afterAll(() => gateway[Symbol.asyncDispose]());

describe("bodies of open calls", () => {
  it("are bounded together, of a tenant and of all, until gateways have them", async () => {
    const bounded = await startApi({ bodies: { total: 3_000, perOwner: 2_000 } });
    for (const user of ["alice", "bob", "carol"]) {
      bounded.gateways.set(`human:${user}`, { origin: gateway.origin, token: GATEWAY_TOKEN });
    }
    const path = "/v1/responses";
    /** Announces a body, and sends it but for its end. */
    const begin = (user: string, size: number) => {
      const head = `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${size}\r\n`;
      const socket = connect(bounded.port, "127.0.0.1");
      const headers = Object.entries(as(user)).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`${head}${headers.join("")}\r\n{`);
      return socket;
    };
    const send = async (user: string, input: string) => call(bounded.url, { path, user, body: { input } });
    const socket = begin("alice", 1_500);
    await eventually(async () => (await send("alice", "x".repeat(900))).status).toBe(429);
    const refused = await send("alice", "x".repeat(900));
    expect(refused.headers["retry-after"]).toBe("1");
    expect(refused.json).toMatchObject({ error: { type: "rate_limit_error", code: "too_many_bytes" } });
    expect((await send("bob", "x".repeat(900))).status).toBe(200);
    const other = begin("bob", 1_200);
    await eventually(async () => (await send("carol", "x".repeat(900))).status).toBe(429);
    socket.destroy();
    other.destroy();
    await eventually(async () => (await send("alice", "x".repeat(1_900))).status).toBe(200);
    // A turn whose body has arrived at the gateway holds nothing, however long it takes.
    const reached = Promise.withResolvers<void>();
    gateway.on((_req, res) => {
      reached.resolve();
      gateway.on((_again, later) => sendJson(later, 200, {}));
      held = res;
    });
    let held: ServerResponse | undefined;
    const turn = send("alice", "x".repeat(1_900));
    await reached.promise;
    await eventually(async () => (await send("alice", "x".repeat(1_900))).status).toBe(200);
    held?.end("{}");
    expect((await turn).status).toBe(200);
    await bounded[Symbol.asyncDispose]();
  });

  it("share their bound with the answers that are read whole, until these are with the client", async () => {
    const bounded = await startApi({ bodies: { total: 3_000, perOwner: 2_000 } });
    for (const user of ["alice", "bob"]) {
      bounded.gateways.set(`human:${user}`, { origin: gateway.origin, token: GATEWAY_TOKEN });
    }
    const answer = JSON.stringify({ ok: true, result: { text: "x".repeat(1_400) } });
    const sessions = (user: string) => call(bounded.url, { path: "/api/openclaw/sessions", user });
    const arrived = Promise.withResolvers<ServerResponse>();
    gateway.on((_req, res) => {
      res.write(answer.slice(0, -1));
      arrived.resolve(res);
    });
    const first = sessions("alice");
    const open = await arrived.promise;
    gateway.on((_req, res) => void res.end(answer));
    await eventually(async () => (await sessions("alice")).status).toBe(429);
    const refused = await sessions("alice");
    expect(refused.json).toMatchObject({ code: "too_many_bytes", error: expect.stringContaining("the call was made") });
    // The tool has run: whether to run it again is not ours to advise.
    expect(refused.headers).not.toHaveProperty("retry-after");
    expect((await sessions("bob")).status).toBe(200);
    open.end("}");
    expect((await first).status).toBe(200);
    await eventually(async () => (await sessions("alice")).status).toBe(200);
    await bounded[Symbol.asyncDispose]();
  });
});
