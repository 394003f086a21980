import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import OpenAI, { APIError } from "openai";
import { pino } from "pino";
import { Registry } from "prom-client";
import { Agent } from "undici";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type KeyRing, keysReady, modelKey, newSlot, parseKeyRing } from "#lib/keys.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { type ModelSimulator, startModelSimulator } from "#test/harness/model/simulator.ts";
import { createByteBudget } from "../limit/byte-budget.ts";
import { createOpenStreams } from "../limit/open-streams.ts";
import { createModelGatewayApp } from "./app.ts";
import type { ModelCatalog, ModelTarget } from "./catalog.ts";
import type { Provider } from "./config.ts";
import { UsageMetrics } from "./usage-metrics.ts";

const PROVIDER_KEY = "sk-provider-key-that-nobody-may-see";
const MODELS: Record<string, ModelTarget> = {
  "standard/default": { provider: "main", providerModel: "gpt-simulated" },
  "standard/elsewhere": { provider: "gone", providerModel: "x" },
  "standard/unconfigured": { provider: "nobody", providerModel: "x" },
};

let ring: KeyRing;
let slot: string;
let simulator: ModelSimulator;
let gateway: Gateway;

interface Gateway {
  url: string;
  server: Server;
  registry: Registry;
  metrics: UsageMetrics;
  clock: ManualClock;
  log: string[];
  catalog: ModelCatalog & { hasSynced: boolean };
  close(): Promise<void>;
}

async function startGateway(providers: Provider[], models = MODELS): Promise<Gateway> {
  const registry = new Registry();
  const clock = new ManualClock();
  const metrics = new UsageMetrics(registry, clock);
  const lines: string[] = [];
  const catalog = { hasSynced: true, find: (name: string) => models[name], names: () => Object.keys(models).sort() };
  const dispatcher = new Agent({ allowH2: false });
  const app = createModelGatewayApp({
    keyRing: ring,
    catalog,
    providers: new Map(providers.map((provider) => [provider.name, provider])),
    dispatcher,
    calls: createOpenStreams(32),
    bodies: createByteBudget({ total: 2 ** 26, perOwner: 2 ** 25 }),
    metrics,
    clock,
    log: pino({ level: "trace" }, { write: (line: string) => lines.push(line) }),
    newId: () => "call-1",
  });
  const { server, url } = await serve(app);
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await dispatcher.destroy();
  };
  return { url, server, registry, metrics, clock, log: lines, catalog, close };
}

async function serve(handler: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(handler);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
}

const provider = (more: Partial<Provider> = {}): Provider => ({
  name: "main",
  baseUrl: simulator.url,
  apiKey: PROVIDER_KEY,
  timeoutMs: 300_000,
  ...more,
});
const client = (apiKey = modelKey(ring[0], slot)) => new OpenAI({ baseURL: gateway.url, apiKey, maxRetries: 0 });
const ask = (content: string, model = "standard/default") => ({
  model,
  messages: [{ role: "user" as const, content }],
});
const streamed = (content: string) => ({ ...ask(content), stream: true as const });
async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}
async function refused(call: Promise<unknown>): Promise<APIError> {
  const error = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof APIError)) throw new Error("was not refused", { cause: error });
  return error;
}
/** The series of one metric as `{labels} value`, once as many calls as wanted were counted. */
async function series(name: string): Promise<Record<string, number>> {
  const metric = await gateway.registry.getSingleMetric(name)?.get();
  return Object.fromEntries(
    (metric?.values ?? []).map(({ labels, value }) => [Object.values(labels).join(" "), value]),
  );
}
/** Resolves when the gateway has written its line about a call. */
async function callLogged(count = 1): Promise<Record<string, unknown>[]> {
  const lines = () => gateway.log.map((line) => JSON.parse(line)).filter(({ msg }) => msg === "model call");
  while (lines().length < count) await new Promise((resolve) => setImmediate(resolve));
  return lines();
}

beforeAll(keysReady);
beforeEach(async () => {
  ring = parseKeyRing(`${"b2".repeat(32)},${"a1".repeat(32)}`);
  slot = newSlot();
  simulator = await startModelSimulator({ apiKey: PROVIDER_KEY });
  gateway = await startGateway([provider(), provider({ name: "gone", baseUrl: "http://127.0.0.1:1/v1" })]);
});
afterEach(async () => {
  await gateway.close();
  await simulator.close();
  expect(gateway.log.join("")).not.toContain(PROVIDER_KEY);
  expect(gateway.log.join("")).not.toContain("hmk_");
});

describe("a chat completion through the gateway", () => {
  it("reaches the provider under its own name of the model and with its own key only", async () => {
    const answer = await client().chat.completions.create(ask("hello there"), {
      headers: { cookie: "a=b", "x-forwarded-for": "10.0.0.1", traceparent: "00-1-2-01", "x-secret": "tenant" },
    });
    expect(answer.choices[0]?.message.content).toBe("echo[1]: hello there");
    const { last } = simulator.stats();
    expect(last).toMatchObject({ model: "gpt-simulated", stream: false, credential: "expected" });
    expect(Object.keys(last?.headers ?? {}).sort()).toEqual([
      "accept",
      "accept-encoding",
      "connection",
      "content-length",
      "content-type",
      "host",
      "traceparent",
      "user-agent",
    ]);
  });

  it("streams: the first word is there while the last is an hour away", async () => {
    const stream = await client().chat.completions.create(streamed("SLOW:2:3600000"));
    const words: string[] = [];
    for await (const chunk of stream) {
      words.push(chunk.choices[0]?.delta.content ?? "");
      if (words.length === 2) break;
    }
    expect(words).toEqual(["", "w0 "]);
    expect(await simulator.when((stats) => stats.aborted === 1)).toMatchObject({ active: 0 });
  });

  it.each(["SLOW:2:3600000", "HANG", "HANGHEAD"])(
    "ends the provider's call when the client leaves a %s",
    async (text) => {
      const leave = new AbortController();
      const call = client()
        .chat.completions.create(streamed(text), { signal: leave.signal })
        .then(collect)
        .catch((error: unknown) => error);
      await simulator.when((stats) => stats.active === 1);
      leave.abort();
      expect(await simulator.when((stats) => stats.aborted === 1)).toMatchObject({ total: 1, active: 0 });
      await call;
      expect(await callLogged()).toMatchObject([{ slot, model: "standard/default", code: 499 }]);
      expect(await series("hatchery_model_requests_total")).toEqual({ [`${slot} standard/default 499`]: 1 });
      expect(await series("hatchery_model_open_calls")).toEqual({ "": 0 });
    },
  );

  it("passes a large answer whole to a client that reads slowly", async () => {
    const answer = await fetch(`${gateway.url}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${modelKey(ring[0], slot)}` },
      body: JSON.stringify(streamed("BIG:8000000")),
    });
    let text = "";
    for await (const part of answer.body ?? []) {
      text += Buffer.from(part).toString();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const chunks = text.split("\n\n").filter((event) => event.startsWith("data: {"));
    const contents = chunks.map((event) => JSON.parse(event.slice("data: ".length)).choices[0].delta.content ?? "");
    expect(contents.join("")).toBe("x".repeat(8_000_000));
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  });

  it("gives the usage chunk to those who ask, and only to them; counts it for both", async () => {
    const plain = await collect(await client().chat.completions.create(streamed("one two")));
    expect(simulator.stats().last?.includeUsage).toBe(true);
    expect(plain.filter((chunk) => chunk.usage)).toEqual([]);
    const asked = { ...streamed("one two"), stream_options: { include_usage: true } };
    const full = await collect(await client().chat.completions.create(asked));
    expect(full.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 2, completion_tokens: 3 } });
    await client().chat.completions.create(ask("one two"));
    await callLogged(3);
    expect(await series("hatchery_model_tokens_total")).toEqual({
      [`${slot} standard/default prompt`]: 6,
      [`${slot} standard/default completion`]: 9,
    });
    expect(await series("hatchery_model_requests_total")).toEqual({ [`${slot} standard/default 200`]: 3 });
  });

  it("forgets the series of a slot that has been silent for an hour, and only those", async () => {
    const stop = new AbortController();
    const sweeping = gateway.metrics.run(stop.signal);
    await client().chat.completions.create(ask("old"));
    await callLogged(1);
    await gateway.clock.advance(3_000_000);
    const other = newSlot();
    await client(modelKey(ring[0], other)).chat.completions.create(ask("new"));
    await callLogged(2);
    await gateway.clock.advance(900_000);
    expect(await series("hatchery_model_requests_total")).toEqual({ [`${other} standard/default 200`]: 1 });
    expect(Object.keys(await series("hatchery_model_tokens_total"))).toHaveLength(2);
    stop.abort();
    await sweeping;
  });
});

describe("who may call", () => {
  it("takes a key derived from any root key of the ring", async () => {
    for (const key of ring) await client(modelKey(key, slot)).chat.completions.create(ask("hi"));
    expect(simulator.stats().total).toBe(2);
  });

  it("refuses every other key before it reads a body", async () => {
    const own = modelKey(ring[0], slot);
    const foreign = modelKey(parseKeyRing("c3".repeat(32))[0], slot);
    const otherSlot = own.replace(slot, newSlot());
    for (const key of [foreign, otherSlot, `${own}0`, "hmk_", PROVIDER_KEY]) {
      const error = await refused(client(key).chat.completions.create(ask("hi")));
      expect(error).toMatchObject({ status: 401, code: "invalid_api_key" });
      expect(error.message).not.toContain(key);
    }
    const bare = await fetch(`${gateway.url}/chat/completions`, { method: "POST", body: "no json" });
    expect(bare.status).toBe(401);
    expect(bare.headers.get("www-authenticate")).toBe("Bearer");
    expect(simulator.stats()).toMatchObject({ total: 0, unauthorized: 0 });
    await callLogged(6);
    expect(await series("hatchery_model_requests_total")).toEqual({ "  401": 6 });
  });
});

describe("what is asked for", () => {
  it("lists the models of all classes", async () => {
    const { data } = await client().models.list();
    expect(data.map((model) => model.id)).toEqual(Object.keys(MODELS).sort());
  });

  it("answers 404 for an unknown model and names those there are", async () => {
    const error = await refused(client().chat.completions.create(ask("hi", "standard/gpt-9")));
    expect(error).toMatchObject({ status: 404, code: "model_not_found", param: "model" });
    expect(error.message).toContain("standard/default");
    expect(simulator.stats().total).toBe(0);
  });

  it("answers 503 and when to come back while the classes have not been read", async () => {
    gateway.catalog.hasSynced = false;
    const error = await refused(client().chat.completions.create(ask("hi")));
    expect(error).toMatchObject({ status: 503, code: "models_unavailable" });
    expect(error.headers?.get("retry-after")).toBe("5");
  });

  it.each([
    ["{", null, "body"],
    ['"text"', null, "body"],
    ['{"messages": [{}]}', "model", "model"],
    ['{"model": "standard/default"}', "messages", "messages"],
    ['{"model": "standard/default", "messages": []}', "messages", "messages"],
    ['{"model": "m", "messages": [{}], "stream": "yes"}', "stream", "stream"],
    ['{"model": "m", "messages": [{}], "stream_options": 1}', "stream_options", "stream_options"],
  ])("answers 400 for the body %s and names the field", async (body, param, named) => {
    const headers = { authorization: `Bearer ${modelKey(ring[0], slot)}` };
    const answer = await fetch(`${gateway.url}/chat/completions`, { method: "POST", body, headers });
    expect(answer.status).toBe(400);
    const { error } = (await answer.json()) as { error: Record<string, unknown> };
    expect(error).toMatchObject({ code: "invalid_body", param, message: expect.stringContaining(named) });
  });

  it("takes a body of 20 MB and refuses one over the limit", async () => {
    await client().chat.completions.create(ask("x".repeat(20_000_000)));
    const error = await refused(client().chat.completions.create(ask("x".repeat(26 * 1024 * 1024))));
    expect(error).toMatchObject({ status: 413, code: "body_too_large" });
  });

  it("answers 404 in JSON for any other path", async () => {
    const headers = { authorization: `Bearer ${modelKey(ring[0], slot)}` };
    const answer = await fetch(`${gateway.url}/embeddings`, { method: "POST", headers });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ error: { code: "not_found" } });
  });
});

describe("trouble at the provider", () => {
  it.each([400, 404, 429, 500, 503])("keeps its status %i and its words", async (status) => {
    const error = await refused(client().chat.completions.create(streamed(`STATUS:${status}`)));
    expect(error).toMatchObject({ status, code: "simulated" });
    expect(error.message).toContain(`simulated status ${status}`);
    expect(await callLogged()).toMatchObject([{ code: status, cause: expect.stringContaining("simulated status") }]);
  });

  it("says that the credential was refused without the provider's words about it", async () => {
    await gateway.close();
    gateway = await startGateway([provider({ apiKey: "sk-outdated" })]);
    const error = await refused(client().chat.completions.create(ask("hi")));
    expect(error).toMatchObject({ status: 401, code: "provider_credential_refused" });
    expect(error.message).toContain("main");
    expect(await callLogged()).toMatchObject([{ code: 401, cause: expect.stringContaining("Incorrect API key") }]);
  });

  it("answers 502 when it can't be reached or is not configured", async () => {
    expect(await refused(client().chat.completions.create(ask("hi", "standard/elsewhere")))).toMatchObject({
      status: 502,
      code: "provider_unreachable",
    });
    expect(await callLogged()).toMatchObject([{ code: 502, cause: expect.stringContaining("ECONNREFUSED") }]);
    expect(await refused(client().chat.completions.create(ask("hi", "standard/unconfigured")))).toMatchObject({
      status: 502,
      code: "provider_not_configured",
    });
  });

  it("cuts the client's stream where the provider's broke off", async () => {
    const words: string[] = [];
    const read = async () => {
      for await (const chunk of await client().chat.completions.create(streamed("DROP")))
        words.push(chunk.choices[0]?.delta.content ?? "");
    };
    await expect(read()).rejects.toThrow();
    expect(words.join("")).toBe("partial answer ");
    expect(await callLogged()).toMatchObject([{ code: 502, cause: expect.stringContaining("provider_unreachable") }]);
  });

  it("answers 502 when it breaks off before it answered", async () => {
    const error = await refused(client().chat.completions.create(ask("DROP")));
    expect(error).toMatchObject({ status: 502, code: "provider_unreachable" });
  });

  it("answers 504 when it stays silent, and cuts a stream that falls silent", async () => {
    await gateway.close();
    gateway = await startGateway([provider({ timeoutMs: 200 })]);
    const error = await refused(client().chat.completions.create(ask("HANGHEAD")));
    expect(error).toMatchObject({ status: 504, code: "provider_timeout" });
    await expect(client().chat.completions.create(streamed("HANG")).then(collect)).rejects.toThrow();
    expect(await simulator.when((stats) => stats.aborted === 2)).toMatchObject({ active: 0 });
    expect(await callLogged(2)).toMatchObject([{ code: 504 }, { code: 504 }]);
  });

  it.each([
    [500, JSON.stringify({ error: { message: `bad key ${PROVIDER_KEY}!` } }), "bad key [redacted]!"],
    [500, `<html>${PROVIDER_KEY}</html>`, "the model provider main answered 500"],
    [302, "", "the model provider main answered 302"],
  ])("never passes the provider's key or a redirect on (%i %s)", async (status, body, words) => {
    const odd = await serve((_req, res) => res.writeHead(status, { location: `http://x/?${PROVIDER_KEY}` }).end(body));
    await gateway.close();
    gateway = await startGateway([provider({ baseUrl: odd.url })]);
    const headers = { authorization: `Bearer ${modelKey(ring[0], slot)}` };
    const answer = await fetch(`${gateway.url}/chat/completions`, {
      method: "POST",
      headers,
      body: JSON.stringify(ask("hi")),
      redirect: "manual",
    });
    const text = await answer.text();
    expect(answer.status).toBe(status === 302 ? 502 : status);
    expect(JSON.parse(text)).toMatchObject({ error: { message: words } });
    expect(text + JSON.stringify([...answer.headers])).not.toContain(PROVIDER_KEY);
    odd.server.close();
    odd.server.closeAllConnections();
  });

  it("passes on when to try again", async () => {
    const busy = await serve((_req, res) => res.writeHead(429, { "retry-after": "7" }).end("{}"));
    await gateway.close();
    gateway = await startGateway([provider({ baseUrl: busy.url })]);
    const error = await refused(client().chat.completions.create(ask("hi")));
    expect(error.status).toBe(429);
    expect(error.headers?.get("retry-after")).toBe("7");
    busy.server.close();
    busy.server.closeAllConnections();
  });
});
