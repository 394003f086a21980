import { describe, expect, it } from "vitest";
import { modelKey, newSlot, parseKeyRing } from "#lib/keys.ts";
import {
  ask,
  callLogged,
  client,
  collect,
  gateway,
  MODELS,
  PROVIDER_KEY,
  refused,
  ring,
  series,
  simulator,
  slot,
  streamed,
  useGateway,
} from "./gateway.fixture.ts";

useGateway();

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
