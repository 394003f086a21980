import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiUnderTest, as, GATEWAY_TOKEN, startApi } from "../testing/api-under-test.ts";
import { beginEvents, type ScriptedGateway, sendJson, startScriptedGateway } from "../testing/scripted-gateway.ts";

let api: ApiUnderTest;
let gateway: ScriptedGateway;
let openai: OpenAI;

beforeAll(async () => {
  api = await startApi();
  gateway = await startScriptedGateway();
  api.gateways.set("human:alice", { origin: gateway.origin, token: GATEWAY_TOKEN });
  openai = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: "unused", defaultHeaders: as("alice") });
});

afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await gateway[Symbol.asyncDispose]();
});

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

describe("the openai package", () => {
  it("lists models", async () => {
    gateway.on((_req, res) => sendJson(res, 200, { object: "list", data: [{ id: "openclaw", object: "model" }] }));
    const { data } = await openai.models.list();
    expect(data.map(({ id }) => id)).toEqual(["openclaw"]);
  });

  it("streams a completion", async () => {
    gateway.on((_req, res) => {
      beginEvents(res);
      for (const content of ["Hel", "lo"]) {
        res.write(
          `data: ${JSON.stringify({ object: "chat.completion.chunk", choices: [{ index: 0, delta: { content } }] })}\n\n`,
        );
      }
      res.end("data: [DONE]\n\n");
    });
    const stream = await openai.chat.completions.create({
      model: "openclaw",
      messages: [{ role: "user", content: "hi" }],
      stream: true,
    });
    const text: string[] = [];
    for await (const chunk of stream) text.push(chunk.choices[0]?.delta.content ?? "");
    expect(text).toEqual(["Hel", "lo"]);
    expect(gateway.seen.at(-1)?.headers.authorization).toBe(`Bearer ${GATEWAY_TOKEN}`);
  });

  it("streams a response", async () => {
    const delta = { type: "response.output_text.delta", delta: "hi", sequence_number: 1 };
    gateway.on((_req, res) => {
      beginEvents(res);
      res.end(`event: ${delta.type}\ndata: ${JSON.stringify(delta)}\n\n`);
    });
    const stream = await openai.responses.create({ model: "openclaw", input: "hi", stream: true });
    const events = await collect(stream);
    expect(events).toMatchObject([delta]);
  });

  it("reads our refusals as its own kinds of errors", async () => {
    const stranger = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: "sk-any", maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toThrow(OpenAI.AuthenticationError);
    const nobody = new OpenAI({ baseURL: `${api.url}/v1`, apiKey: "x", maxRetries: 0, defaultHeaders: as("nobody") });
    await expect(nobody.models.list()).rejects.toMatchObject({ status: 404, code: "instance_not_found" });
  });

  it("does not repeat a turn that may have run", async () => {
    gateway.seen.length = 0;
    gateway.on((_req, res) => void res.destroy());
    const create = openai.responses.create({ model: "openclaw", input: "hi" });
    await expect(create).rejects.toMatchObject({ status: 502 });
    expect(gateway.seen).toHaveLength(1);
  });

  it.each([408, 500, 502, 504])("does not repeat a turn that the gateway answered with %d", async (status) => {
    gateway.seen.length = 0;
    gateway.on((_req, res) => sendJson(res, status, { error: { message: "x", type: "api_error" } }));
    const create = openai.chat.completions.create({ model: "openclaw", messages: [{ role: "user", content: "hi" }] });
    await expect(create).rejects.toMatchObject({ status });
    expect(gateway.seen).toHaveLength(1);
  });

  it("repeats a turn that the gateway refused before it ran, and a call without a turn", async () => {
    for (const [status, send] of [
      [503, () => openai.responses.create({ model: "openclaw", input: "hi" })],
      [502, () => openai.models.list()],
    ] as const) {
      gateway.seen.length = 0;
      gateway.on((_req, res) => {
        if (gateway.seen.length > 1) sendJson(res, 200, { data: [], output: [] });
        else sendJson(res, status, { error: { message: "suspending", type: "service_unavailable" } });
      });
      await send();
      expect(gateway.seen).toHaveLength(2);
    }
  });

  it("sees a cut stream as an error, not as an end", async () => {
    gateway.on((_req, res) => {
      beginEvents(res);
      res.write(`data: ${JSON.stringify({ type: "response.output_text.delta", delta: "half" })}\n\n`, () =>
        res.destroy(),
      );
    });
    const stream = await openai.responses.create({ model: "openclaw", input: "hi", stream: true });
    await expect(collect(stream)).rejects.toThrow();
  });
});
