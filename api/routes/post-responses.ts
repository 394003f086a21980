import type { ApiContext } from "../context.ts";
import type { StreamRoute } from "../http/route.ts";
import { forwardTurn } from "./forward-turn.ts";

/** `POST /v1/responses` of the caller's own OpenClaw. */
export function postResponses(context: ApiContext): StreamRoute {
  return {
    method: "POST",
    path: "/v1/responses",
    operation: "createResponse",
    access: "tenant",
    stream: (call) => forwardTurn(context, call, "/v1/responses"),
  };
}
