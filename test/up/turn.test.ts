import { expect, it } from "vitest";
import { readTurn } from "./turn.ts";

const event = (data: object) => `event: x\ndata: ${JSON.stringify(data)}\n\n`;
const delta = (text: string) => event({ type: "response.output_text.delta", delta: text });
const END = event({ type: "response.completed" });

/** The turn whose stream came in these chunks. */
async function read(...chunks: string[]): Promise<string[]> {
  async function* stream() {
    yield* chunks;
  }
  const pieces: string[] = [];
  for await (const piece of readTurn(stream())) pieces.push(piece);
  return pieces;
}

it("gives the text as it was sent, however the stream was cut", async () => {
  const stream = `: heartbeat\n\n${delta("one ")}${delta("two")}${END}data: [DONE]\n\n`;
  expect(await read(stream)).toEqual(["one ", "two"]);
  expect(await read(...stream.split(""))).toEqual(["one ", "two"]);
});

it("gives each word once, though the events that end a part repeat it whole", async () => {
  const part = { type: "output_text", text: "one two" };
  const ends = [
    { type: "response.output_text.done", text: "one two" },
    { type: "response.content_part.done", part },
    { type: "response.output_item.done", item: { type: "message", content: [part] } },
    { type: "response.completed", response: { output: [{ type: "message", content: [part] }] } },
  ];
  expect(await read(delta("one "), delta("two"), ...ends.map(event), "data: [DONE]\n\n")).toEqual(["one ", "two"]);
});

it("takes an event that is no JSON for a broken stream, and leaves none out", async () => {
  await expect(read(delta("one"), 'event: x\ndata: {"type": "response.output_text\n\n', END)).rejects.toThrow(
    SyntaxError,
  );
});

it("says that a turn failed, and why", async () => {
  const failed = event({ type: "response.failed", response: { error: { message: "no model" } } });
  await expect(read(delta("one"), failed)).rejects.toThrow("the turn failed: no model");
});

it("takes no half turn for a whole one", async () => {
  await expect(read(delta("one"))).rejects.toThrow("before the turn was complete");
});
