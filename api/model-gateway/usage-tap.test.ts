import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Usage } from "./usage.ts";
import { EventUsageTap, JsonUsageTap, type UsageTap } from "./usage-tap.ts";

const word = (text: string) => `data: ${JSON.stringify({ choices: [{ delta: { content: text } }], usage: null })}\n\n`;
const USAGE = { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15 };
const usageChunk = `data: ${JSON.stringify({ choices: [], usage: USAGE })}\n\n`;
const DONE = "data: [DONE]\n\n";

/** Feeds a text in the given pieces; answers what came out and every usage told. */
function pass(tap: (onUsage: (usage: Usage) => void) => UsageTap, pieces: Buffer[]) {
  const seen: Usage[] = [];
  const under = tap((usage) => seen.push(usage));
  const out = pieces.flatMap((piece) => under.feed(piece));
  const text = Buffer.concat([...out, ...under.end()]).toString("utf8");
  return { text, seen };
}

const events = (dropUsageChunk: boolean) => (onUsage: (usage: Usage) => void) =>
  new EventUsageTap({ onUsage, dropUsageChunk });
const json = (onUsage: (usage: Usage) => void) => new JsonUsageTap({ onUsage });
const counted = { promptTokens: 12, completionTokens: 3 };

describe("a stream's usage", () => {
  it("is told, and its chunk left out for a client that did not ask", () => {
    const stream = [Buffer.from(word("héllo") + usageChunk + DONE)];
    expect(pass(events(true), stream)).toEqual({ text: word("héllo") + DONE, seen: [counted] });
    expect(pass(events(false), stream)).toEqual({ text: word("héllo") + usageChunk + DONE, seen: [counted] });
  });

  it("passes wherever the network cuts the bytes, with any line ending", () => {
    const parts = fc.array(fc.oneof(fc.string().map(word), fc.constant(": quiet\n\n"), fc.constant("event: x\n")));
    fc.assert(
      fc.property(parts, fc.boolean(), fc.array(fc.nat(200)), (before, crlf, cuts) => {
        const ending = (text: string) => (crlf ? text.replaceAll("\n", "\r\n") : text);
        const expected = ending(`${before.join("")}\n${DONE}`);
        const whole = Buffer.from(ending(`${before.join("")}\n${usageChunk}${DONE}`));
        const pieces: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          pieces.push(whole.subarray(at, at + cut));
          at += cut;
        }
        expect(pass(events(true), [...pieces, whole.subarray(at)])).toEqual({ text: expected, seen: [counted] });
      }),
    );
  });

  it("lets each event go as soon as it is whole", () => {
    const tap = new EventUsageTap({ onUsage: () => undefined, dropUsageChunk: true });
    expect(Buffer.concat(tap.feed(Buffer.from(`${word("a")}data: {"choi`))).toString()).toBe(word("a"));
    expect(Buffer.concat(tap.feed(Buffer.from("ces"))).toString()).toBe("");
  });

  it("is found on a chunk that says something too, which is never left out", () => {
    const last = `data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: "stop" }], usage: USAGE })}\n\n`;
    expect(pass(events(true), [Buffer.from(last + DONE)])).toEqual({ text: last + DONE, seen: [counted] });
  });

  it("is not taken from what the model says", () => {
    const liar = word('{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}');
    expect(pass(events(true), [Buffer.from(liar)])).toEqual({ text: liar, seen: [] });
  });

  it("holds no more than a part of an endless event", () => {
    const tap = new EventUsageTap({ onUsage: () => undefined, dropUsageChunk: true });
    const piece = Buffer.alloc(64 * 1024, "x");
    let held = 0;
    let most = 0;
    for (let index = 0; index < 64; index++) {
      held += piece.length - Buffer.concat(tap.feed(piece)).length;
      most = Math.max(most, held);
    }
    expect(held).toBe(0);
    expect(most).toBeLessThanOrEqual(1024 * 1024);
    const after = `\n\n${usageChunk}${word("b")}`;
    expect(Buffer.concat(tap.feed(Buffer.from(after))).toString()).toBe(`\n\n${word("b")}`);
  });
});

describe("the usage of an answer in one piece", () => {
  it("is told while the bytes pass", () => {
    const text = JSON.stringify({ choices: [{ message: { content: "hi" } }], usage: USAGE });
    const pieces = [Buffer.from(text.slice(0, 40)), Buffer.from(text.slice(40))];
    expect(pass(json, pieces)).toEqual({ text, seen: [counted] });
  });

  it.each(["no json", '{"usage": {', '{"usage": {"prompt_tokens": -1}}', "{}"])("is not invented from %s", (text) => {
    expect(pass(json, [Buffer.from(text)])).toEqual({ text, seen: [] });
  });
});
