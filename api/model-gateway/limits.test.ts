import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { pino } from "pino";
import { Registry } from "prom-client";
import { Agent } from "undici";
import { afterEach, beforeEach, expect, it } from "vitest";
import { keysReady, modelKey, newSlot, parseKeyRing } from "#lib/keys.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { type ModelSimulator, startModelSimulator } from "#test/harness/model/simulator.ts";
import { createByteBudget } from "../limit/byte-budget.ts";
import { createOpenStreams } from "../limit/open-streams.ts";
import { createModelGatewayApp } from "./app.ts";
import { UsageMetrics } from "./usage-metrics.ts";

await keysReady();
const ring = parseKeyRing("a1".repeat(32));
let simulator: ModelSimulator;
let clock: ManualClock;
let port: number;
let slot: string;
const cleanups: (() => unknown)[] = [];

beforeEach(async () => {
  slot = newSlot();
  clock = new ManualClock();
  simulator = await startModelSimulator({ apiKey: "sk" });
  const dispatcher = new Agent();
  const provider = { name: "main", baseUrl: simulator.url, apiKey: "sk", timeoutMs: 300_000 };
  const app = createModelGatewayApp({
    keyRing: ring,
    catalog: { hasSynced: true, find: () => ({ provider: "main", providerModel: "m" }), names: () => ["c/m"] },
    providers: new Map([["main", provider]]),
    dispatcher,
    calls: createOpenStreams(2),
    bodies: createByteBudget({ total: 1_500, perOwner: 1_000 }),
    metrics: new UsageMetrics(new Registry(), clock),
    clock,
    log: pino({ level: "silent" }),
    newId: () => "call",
  });
  const server = createServer(app);
  await once(server.listen(0, "127.0.0.1"), "listening");
  port = (server.address() as AddressInfo).port;
  cleanups.push(
    () => server.close(),
    () => server.closeAllConnections(),
    () => dispatcher.destroy(),
  );
});
afterEach(async () => {
  for (const clean of cleanups.splice(0)) await clean();
  await simulator.close();
});

const headersOf = (owner: string) => ({ authorization: `Bearer ${modelKey(ring[0], owner)}` });
const post = (body: string, owner = slot, signal: AbortSignal | null = null) =>
  fetch(`http://127.0.0.1:${port}/v1/chat/completions`, { method: "POST", body, headers: headersOf(owner), signal });
const ask = (content: string) => JSON.stringify({ model: "c/m", messages: [{ role: "user", content }] });

/** A request of which only the head and `body` are sent. */
async function begin(length: number, body: string): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const head = ["POST /v1/chat/completions HTTP/1.1", "host: x", `authorization: ${headersOf(slot).authorization}`];
  socket.write([...head, `content-length: ${length}`, "", body].join("\r\n"));
  return socket;
}

it("refuses a slot one call too many, and no other slot", async () => {
  const leave = new AbortController();
  const open = [post(ask("HANGHEAD"), slot, leave.signal), post(ask("HANGHEAD"), slot, leave.signal)];
  const ended = Promise.allSettled(open);
  await simulator.when((stats) => stats.active === 2);
  const refused = await post(ask("hi"));
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
  expect(await refused.json()).toMatchObject({ error: { type: "rate_limit_error", code: "too_many_calls" } });
  expect((await post(ask("hi"), newSlot())).status).toBe(200);
  leave.abort();
  await ended;
  await simulator.when((stats) => stats.active === 0);
  expect((await post(ask("hi"))).status).toBe(200);
});

it("refuses bytes over a slot's budget, counts none for a body that the provider has", async () => {
  const refused = await post(ask("x".repeat(1_000)));
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "1"]);
  expect(await refused.json()).toMatchObject({ error: { code: "too_many_bytes" } });
  const leave = new AbortController();
  const open = post(ask(`${"x".repeat(800)} HANGHEAD`), slot, leave.signal).catch(() => undefined);
  await simulator.when((stats) => stats.active === 1);
  expect((await post(ask("x".repeat(800)))).status).toBe(200);
  leave.abort();
  await open;
});

it("gives up on a body that does not come, and closes the connection", async () => {
  const socket = await begin(500, "{");
  while (clock.pending === 0) await new Promise((resolve) => setImmediate(resolve));
  await clock.advance(120_000);
  expect(await text(socket)).toMatch(/^HTTP\/1.1 408 .*"request_timeout"/s);
});

it("refuses a body that is nested too deeply", async () => {
  const answer = await post(`${"[".repeat(201)}${"]".repeat(201)}`);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({
    error: { code: "invalid_body", message: "body: nested deeper than 200" },
  });
});
