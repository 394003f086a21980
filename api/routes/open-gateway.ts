import { ApiError } from "../errors.ts";
import { GATEWAY_SOCKET_OPERATION, GATEWAY_SOCKET_PATH } from "../gateway-socket/gateway-sockets.ts";
import { type StreamRoute, streamRoute } from "../http/route.ts";
import { GATEWAY_ERRORS } from "./schemas.ts";

/**
 * `GET /api/openclaw/gateway`: a WebSocket to the caller's own OpenClaw, for OpenClaw's own clients. Handshakes don't come this way
 * but by {@link createSockets}; who gets here wants something else.
 */
export function openGateway(): StreamRoute {
  return streamRoute({
    method: "GET",
    path: GATEWAY_SOCKET_PATH,
    operation: GATEWAY_SOCKET_OPERATION,
    tag: "runtime",
    summary: "A WebSocket to the caller's own OpenClaw, for OpenClaw's own clients; needs all scopes but `admin`.",
    access: "tenant",
    scope: "openclaw:write",
    // By the gateway's own methods an agent could do unasked what else waits for a human's approval.
    humansOnly: true,
    content: {},
    errors: [...GATEWAY_ERRORS, "origin_not_allowed", "upgrade_required", "shutting_down"],
    relaysErrors: true,
    async stream(call) {
      call.res.set("upgrade", "websocket");
      throw new ApiError("upgrade_required", "only a WebSocket is served here", { step: "validate" });
    },
  });
}
