import type { Conversation } from "./conversation.ts";
import { type Directive, parseDirective } from "./directive.ts";

/** A tool call of the simulated model. */
export interface ToolCall {
  name: string;
  /** JSON text, as the model would write it. */
  args: string;
}

/** What the simulated model says and how it ends. */
export interface Reply {
  /** The pieces of text, one stream chunk each. */
  pieces: string[];
  /** Milliseconds between two pieces. */
  intervalMs: number;
  finishReason: "stop" | "length" | "tool_calls";
  toolCall?: ToolCall;
  /** `hang` and `hang-headers` never end by themselves; `drop` cuts the connection after the pieces. */
  ending: "complete" | "drop" | "hang" | "hang-headers";
}

/** A reply, or the HTTP status to fail with. */
export type Outcome = { reply: Reply } | { failStatus: number };

const PIECE_BYTES = 1000;
/** Longest text that an echo or a quoted tool result repeats. */
const QUOTE_CHARS = 300;

/** Decides the answer to a conversation: its directive, or an echo that starts with the number of the turn. */
export function planReply(conversation: Conversation): Outcome {
  const directive = parseDirective(conversation.lastHuman);
  if (directive.kind === "status") return { failStatus: directive.code };
  // A tool that was called has answered: the turn ends with what it said, else it would be called for ever.
  if (directive.kind === "tool" && conversation.toolResult !== undefined)
    return { reply: say(["tool ", "said: ", conversation.toolResult.slice(0, QUOTE_CHARS)]) };
  return { reply: replyTo(directive, conversation) };
}

function replyTo(directive: Exclude<Directive, { kind: "status" }>, conversation: Conversation): Reply {
  switch (directive.kind) {
    case "slow":
      return say(
        Array.from({ length: directive.chunks }, (_, index) => `w${index} `),
        { intervalMs: directive.intervalMs },
      );
    case "drop":
      return say(["partial ", "answer "], { ending: "drop" });
    case "hang":
      return say([], { ending: directive.sendsHeaders ? "hang" : "hang-headers" });
    case "length":
      return say(["cut "], { finishReason: "length" });
    case "tool":
      return say([], { finishReason: "tool_calls", toolCall: { name: directive.name, args: directive.args } });
    case "big":
      return say(split("x".repeat(directive.bytes), PIECE_BYTES));
    case "echo":
      return say([`echo[${conversation.turns}]: `, ...conversation.lastHuman.slice(-QUOTE_CHARS).split(/(?<= )/)]);
  }
}

function say(pieces: string[], rest: Partial<Reply> = {}): Reply {
  return { pieces, intervalMs: 0, finishReason: "stop", ending: "complete", ...rest };
}

function split(text: string, size: number): string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
    text.slice(index * size, (index + 1) * size),
  );
}
