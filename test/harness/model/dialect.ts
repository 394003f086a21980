import type { ChatRequest } from "./conversation.ts";
import { textOf } from "./conversation.ts";
import type { Reply, ToolCall } from "./reply.ts";

/** Token counts in OpenAI's form. */
export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

/** The constants of one answer. */
export interface AnswerHead {
  id: string;
  /** Seconds since the epoch. */
  created: number;
  model: string;
}

/** Counts a token per four characters asked and one per piece answered, so that tests can foretell both. */
export function countUsage(request: ChatRequest, reply: Reply): Usage {
  const characters = request.messages.reduce((sum, message) => sum + textOf(message).length, 0);
  const prompt = Math.ceil(characters / 4);
  const completion = reply.pieces.length + (reply.toolCall ? 1 : 0);
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion };
}

/** A whole, unstreamed answer. */
export function completion(head: AnswerHead, reply: Reply, usage: Usage): object {
  const message = reply.toolCall
    ? { role: "assistant", content: null, tool_calls: [toolCall(head, reply.toolCall)] }
    : { role: "assistant", content: reply.pieces.join("") };
  return {
    ...head,
    object: "chat.completion",
    choices: [{ index: 0, message, finish_reason: reply.finishReason }],
    usage,
  };
}

/** One chunk of a stream as an SSE event. */
export function chunkEvent(head: AnswerHead, delta: object, finishReason: string | null = null): string {
  return event({
    ...head,
    object: "chat.completion.chunk",
    choices: [{ index: 0, delta, finish_reason: finishReason }],
  });
}

/** The delta that carries a tool call. */
export function toolCallDelta(head: AnswerHead, call: ToolCall): object {
  return { tool_calls: [{ index: 0, ...toolCall(head, call) }] };
}

/** The extra chunk with token usage that a client gets when it asks for it. */
export function usageEvent(head: AnswerHead, usage: Usage): string {
  return event({ ...head, object: "chat.completion.chunk", choices: [], usage });
}

/** The event that ends every stream. */
export const DONE_EVENT = "data: [DONE]\n\n";

/** An error in OpenAI's form. */
export function errorBody(message: string, type: string, code: string): object {
  return { error: { message, type, param: null, code } };
}

function toolCall(head: AnswerHead, call: ToolCall): object {
  return { id: `call-${head.id}`, type: "function", function: { name: call.name, arguments: call.args } };
}

function event(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}
