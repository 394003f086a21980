import type { ApiContext } from "../context.ts";
import { turnBody } from "../gateway/turn.ts";
import { type StreamRoute, streamRoute } from "../http/route.ts";
import { forwardTurn } from "./forward-turn.ts";
import { eventStream, GATEWAY_ERRORS, opaque } from "./schemas.ts";

/** `POST /v1/responses` of the caller's own OpenClaw. */
export function postResponses(context: ApiContext): StreamRoute {
  return streamRoute({
    method: "POST",
    path: "/v1/responses",
    operation: "createResponse",
    tag: "openai",
    summary: "One turn of the caller's own OpenClaw in the dialect of OpenAI's responses.",
    access: "tenant",
    scope: "openclaw:chat",
    mayBeRemembered: true,
    lateBody: turnBody,
    openclawHeaders: true,
    content: { "application/json": opaque, "text/event-stream": eventStream },
    errors: GATEWAY_ERRORS,
    relaysErrors: true,
    stream: (call) => forwardTurn(context, call, "/v1/responses"),
  });
}
