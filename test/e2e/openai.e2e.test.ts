import { randomUUID } from "node:crypto";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connectSystem, type System } from "./system.ts";
import { User } from "./user.ts";

let system: System;
let openai: OpenAI;
beforeAll(async () => {
  system = await connectSystem();
  const alice = new User(system, "alice");
  await alice.ensureInstance();
  const headers = { ...alice.credentials, authorization: null };
  openai = new OpenAI({ baseURL: `${system.apiUrl}/v1`, apiKey: "unused", defaultHeaders: headers, maxRetries: 0 });
});
afterAll(() => system[Symbol.asyncDispose]());

const SLOW_WORDS = "w0 w1 w2 w3 w4 w5 w6 w7 w8 w9";

describe("the OpenAI SDK against /v1", () => {
  it("lists the user's OpenClaw as a model", async () => {
    expect((await openai.models.list()).data.map(({ id }) => id)).toContain("openclaw");
  });

  it("streams a chat completion", async () => {
    const messages = [{ role: "user" as const, content: "SLOW:10:100" }];
    const stream = await openai.chat.completions.create({ model: "openclaw", messages, stream: true });
    const pieces: string[] = [];
    for await (const chunk of stream) {
      const piece = chunk.choices[0]?.delta.content;
      if (piece) pieces.push(piece);
    }
    expect(pieces.join("").trimEnd()).toBe(SLOW_WORDS);
    expect(pieces.length).toBeGreaterThan(3);
  });

  it("streams a response and goes on with the session it names", async () => {
    const user = `conversation-${randomUUID()}`;
    const pieces: string[] = [];
    for await (const event of await openai.responses.create({
      model: "openclaw",
      input: "SLOW:10:100",
      user,
      stream: true,
    }))
      if (event.type === "response.output_text.delta") pieces.push(event.delta);
    expect(pieces.join("").trimEnd()).toBe(SLOW_WORDS);
    const next = await openai.responses.create({ model: "openclaw", input: "again", user });
    expect(next.output_text).toBe("echo[2]: again");
    // What the provider counted has come all the way.
    expect(next.usage).toMatchObject({ output_tokens: 2, total_tokens: expect.any(Number) });
    expect(next.usage?.input_tokens).toBeGreaterThan(100);
  });

  it("gets errors in its own form", async () => {
    const call = openai.chat.completions.create({ model: "openclaw", messages: [], stream: "yes" as unknown as true });
    await expect(call).rejects.toMatchObject({ status: 400, error: { message: expect.any(String) } });
  });
});
