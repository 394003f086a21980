import * as z from "zod";

const contentPart = z.looseObject({ text: z.string().optional() });
const chatMessage = z.looseObject({
  role: z.string(),
  content: z.union([z.string(), z.array(contentPart)]).nullish(),
});

/** What the simulator reads of a chat completion request; everything else passes unread. */
export const chatRequestSchema = z.looseObject({
  model: z.string(),
  messages: z.array(chatMessage).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
});
/** A parsed chat completion request. */
export type ChatRequest = z.output<typeof chatRequestSchema>;
type ChatMessage = ChatRequest["messages"][number];

/** The part of a conversation that steers the answer. */
export interface Conversation {
  /** How many messages a person wrote, the last one included. */
  turns: number;
  /** Text of the person's last message, without what OpenClaw adds to it. */
  lastHuman: string;
  /** Text of the newest tool result, if one came after the person's last message. */
  toolResult: string | undefined;
}

/** OpenClaw sends context of its own as a user message that starts with this; no person wrote it. */
const INTERNAL_CONTEXT = "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT";
/** OpenClaw puts the time before a person's text, e.g. `[Mon 2026-11-23 06:20 UTC] `. */
const TIME_PREFIX = /^\[[^\]]*UTC\] /;
/** ... and a line about its runtime after it. */
const RUNTIME_SUFFIX = "\n\nRuntime: ";

/** Finds what the person said last and whether a tool has answered since. */
export function readConversation(messages: readonly ChatMessage[]): Conversation {
  const isHuman = (message: ChatMessage) => message.role === "user" && !textOf(message).startsWith(INTERNAL_CONTEXT);
  const lastIndex = messages.findLastIndex(isHuman);
  const last = messages[lastIndex];
  const toolMessage = messages.slice(lastIndex + 1).findLast((message) => message.role === "tool");
  return {
    turns: messages.filter(isHuman).length,
    lastHuman: last ? (textOf(last).split(RUNTIME_SUFFIX)[0] ?? "").replace(TIME_PREFIX, "") : "",
    toolResult: toolMessage && textOf(toolMessage),
  };
}

/** All text of a message, parts joined by a space. */
export function textOf(message: ChatMessage): string {
  if (typeof message.content === "string") return message.content;
  return (message.content ?? []).map((part) => part.text ?? "").join(" ");
}
