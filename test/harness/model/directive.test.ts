import { describe, expect, it } from "vitest";
import { readConversation } from "./conversation.ts";
import { parseDirective } from "./directive.ts";
import { planReply } from "./reply.ts";

describe("directives", () => {
  it.each([
    ["please SLOW:10:20 now", { kind: "slow", chunks: 10, intervalMs: 20 }],
    ["STATUS:429", { kind: "status", code: 429 }],
    ["STATUS:999", { kind: "echo" }],
    ["DROP", { kind: "drop" }],
    ["HANG", { kind: "hang", sendsHeaders: true }],
    ["HANGHEAD", { kind: "hang", sendsHeaders: false }],
    ["LEN", { kind: "length" }],
    ['TOOL:exec:{"command":"id"}', { kind: "tool", name: "exec", args: '{"command":"id"}' }],
    ["BIG:100", { kind: "big", bytes: 100 }],
    ["I don't like DROPS or CHANGE", { kind: "echo" }],
    ["SLOW:9:9 was never answered\n\nSTATUS:500", { kind: "status", code: 500 }],
  ])("reads %j", (text, expected) => {
    expect(parseDirective(text)).toEqual(expected);
  });
});

describe("a conversation with OpenClaw", () => {
  const context = { role: "user", content: "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT\nSTATUS:500" };

  it("is steered by the person's words, not by what OpenClaw adds", () => {
    const seen = readConversation([
      { role: "system", content: "you are a claw" },
      { role: "user", content: "one" },
      { role: "assistant", content: "echo" },
      { role: "user", content: [{ type: "text", text: "[Mon 2026-11-23 06:20 UTC] two\n\nRuntime: STATUS:500" }] },
      context,
    ]);
    expect(seen).toEqual({ turns: 2, lastHuman: "two", toolResult: undefined });
    expect(planReply(seen)).toMatchObject({ reply: { pieces: ["echo[2]: ", "two"] } });
  });

  it("calls a tool once and then says what it answered", () => {
    const ask = { role: "user", content: 'TOOL:exec:{"command":"id"}' };
    expect(planReply(readConversation([ask, context]))).toMatchObject({ reply: { toolCall: { name: "exec" } } });
    const answered = readConversation([ask, context, { role: "assistant" }, { role: "tool", content: "uid=1000" }]);
    expect(planReply(answered)).toMatchObject({ reply: { pieces: ["tool ", "said: ", "uid=1000"] } });
    const again = readConversation([ask, { role: "assistant" }, { role: "tool", content: "uid=1000" }, ask]);
    expect(planReply(again)).toMatchObject({ reply: { toolCall: { name: "exec" } } });
  });
});
