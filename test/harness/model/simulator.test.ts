import OpenAI from "openai";
import { afterEach, describe, expect, it } from "vitest";
import { type ModelSimulator, SIMULATED_MODEL, startModelSimulator } from "./simulator.ts";

let simulator: ModelSimulator;
const start = async (apiKey?: string) => {
  simulator = await startModelSimulator({ apiKey });
  return new OpenAI({ baseURL: simulator.url, apiKey: apiKey ?? "any", maxRetries: 0 });
};
afterEach(() => simulator.close());

const ask = (content: string) => ({ model: "m", messages: [{ role: "user" as const, content }] });
const streamed = (content: string) => ({ ...ask(content), stream: true as const });
const collect = async <T>(stream: AsyncIterable<T>) => {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
};
const readText = async (stream: AsyncIterable<OpenAI.ChatCompletionChunk>) =>
  (await collect(stream)).map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");

describe("the simulated provider", () => {
  it("lists its model and echoes with the number of the turn and token usage", async () => {
    const openai = await start();
    expect((await openai.models.list()).data.map((model) => model.id)).toEqual([SIMULATED_MODEL]);
    const answer = await openai.chat.completions.create(ask("hello there"));
    expect(answer.choices[0]?.message.content).toBe("echo[1]: hello there");
    expect(answer.usage).toEqual({ prompt_tokens: 3, completion_tokens: 3, total_tokens: 6 });
  });

  it("streams, and reports usage only to those who ask", async () => {
    const openai = await start();
    expect(await readText(await openai.chat.completions.create(streamed("SLOW:3:1")))).toBe("w0 w1 w2 ");
    expect(simulator.stats().last).toMatchObject({ model: "m", stream: true, includeUsage: false });
    const stream = await openai.chat.completions.create({ ...streamed("hi"), stream_options: { include_usage: true } });
    const chunks = await collect(stream);
    expect(chunks.filter((chunk) => chunk.usage).map((chunk) => chunk.usage?.completion_tokens)).toEqual([2]);
    expect(chunks.at(-1)?.choices).toEqual([]);
  });

  it("hands out the first word while the last is far away, and notes a client that leaves", async () => {
    const openai = await start();
    const leave = new AbortController();
    const stream = await openai.chat.completions.create(streamed("SLOW:2:3600000"), { signal: leave.signal });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content === "w0 ") break;
    }
    leave.abort();
    expect(await simulator.when((stats) => stats.aborted === 1)).toMatchObject({ total: 1, active: 0 });
  });

  it("fails with the status it is told", async () => {
    const openai = await start();
    await expect(openai.chat.completions.create(streamed("STATUS:429"))).rejects.toMatchObject({ status: 429 });
    expect(await simulator.when((stats) => stats.active === 0)).toMatchObject({ total: 1, aborted: 0 });
  });

  it("cuts a stream in the middle", async () => {
    const openai = await start();
    const seen: string[] = [];
    const drop = async () => {
      for await (const chunk of await openai.chat.completions.create(streamed("DROP")))
        seen.push(chunk.choices[0]?.delta.content ?? "");
    };
    await expect(drop()).rejects.toThrow();
    expect(seen.join("")).toBe("partial answer ");
    await expect(openai.chat.completions.create(ask("DROP"))).rejects.toThrow();
    expect(await simulator.when((stats) => stats.active === 0)).toMatchObject({ total: 2, aborted: 0 });
  });

  it("never answers a HANGHEAD", async () => {
    const openai = await start();
    const leave = new AbortController();
    const call = openai.chat.completions.create(streamed("HANGHEAD"), { signal: leave.signal });
    const refused = expect(call).rejects.toThrow("aborted");
    await simulator.when((stats) => stats.active === 1);
    leave.abort();
    await refused;
    expect(await simulator.when((stats) => stats.aborted === 1)).toMatchObject({ active: 0 });
  });

  it("sends headers and then nothing on a HANG", async () => {
    const openai = await start();
    const stream = await openai.chat.completions.create(streamed("HANG"));
    const chunks = stream[Symbol.asyncIterator]();
    expect((await chunks.next()).value?.choices[0]?.delta.content).toBe("");
    const next = chunks.next();
    expect(simulator.stats()).toMatchObject({ active: 1, aborted: 0 });
    stream.controller.abort();
    expect((await next).done).toBe(true);
    expect(await simulator.when((stats) => stats.aborted === 1)).toMatchObject({ active: 0 });
  });

  it("calls tools, streamed and not", async () => {
    const openai = await start();
    const text = 'TOOL:exec:{"command":"id"}';
    const whole = await openai.chat.completions.create(ask(text));
    expect(whole.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ function: { name: "exec", arguments: '{"command":"id"}' } }] },
    });
    const chunks = await collect(await openai.chat.completions.create(streamed(text)));
    expect(chunks.flatMap((chunk) => chunk.choices[0]?.delta.tool_calls ?? [])).toMatchObject([
      { function: { name: "exec", arguments: '{"command":"id"}' } },
    ]);
  });

  it("sends as many bytes as it is told", async () => {
    const openai = await start();
    expect(await readText(await openai.chat.completions.create(streamed("BIG:123456")))).toHaveLength(123_456);
  });

  it("refuses a wrong key and says which one came without repeating it", async () => {
    const openai = await start("the-right-key");
    await openai.chat.completions.create(ask("hi"));
    expect(simulator.stats().last?.credential).toBe("expected");
    const other = new OpenAI({ baseURL: simulator.url, apiKey: "another-key", maxRetries: 0 });
    await expect(other.chat.completions.create(ask("hi"))).rejects.toMatchObject({ status: 401 });
    expect(simulator.stats()).toMatchObject({ total: 1, unauthorized: 1 });
    const stats = await (await fetch(new URL("/stats?total=1", simulator.url))).text();
    expect(stats).not.toMatch(/the-right-key|another-key/);
  });

  it("refuses what is no chat request", async () => {
    await start();
    for (const body of ["{", "{}", '{"model":"m","messages":[]}']) {
      const answer = await fetch(`${simulator.url}/chat/completions`, { method: "POST", body });
      expect(answer.status).toBe(400);
    }
    expect((await fetch(`${simulator.url}/nothing`)).status).toBe(404);
  });
});
