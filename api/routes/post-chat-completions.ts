import type { ApiContext } from "../context.ts";
import type { StreamRoute } from "../http/route.ts";
import { forwardTurn } from "./forward-turn.ts";

/** `POST /v1/chat/completions` of the caller's own OpenClaw. */
export function postChatCompletions(context: ApiContext): StreamRoute {
  return {
    method: "POST",
    path: "/v1/chat/completions",
    operation: "createChatCompletion",
    access: "tenant",
    stream: (call) => forwardTurn(context, call, "/v1/chat/completions"),
  };
}
