import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { AGENT, turnBody } from "../gateway/turn.ts";
import { type StreamRoute, streamRoute } from "../http/route.ts";
import { forward } from "../proxy/forward.ts";
import { openclawHeaders, SESSION_KEY_HEADER } from "../proxy/openclaw-headers.ts";
import { TURN_TIMEOUT_MS, withUpstream } from "../proxy/proxy.ts";
import { DEFAULT_SESSION } from "../proxy/session-key.ts";
import { readTurn } from "./read-turn.ts";
import { eventStream, GATEWAY_ERRORS, opaque } from "./schemas.ts";

/**
 * `POST /api/openclaw/chat`: one turn, in the OpenResponses dialect, streamed as the gateway streams it. Who speaks and which
 * agent answers is ours to say; the session is the caller's choice among its own.
 */
export function postChat(context: ApiContext): StreamRoute {
  const { proxy } = context;
  return streamRoute({
    method: "POST",
    path: "/api/openclaw/chat",
    operation: "chat",
    tag: "chat",
    summary: "One turn in the OpenResponses dialect, streamed if asked; the session by `x-openclaw-session-key`.",
    access: "tenant",
    scope: "openclaw:chat",
    mayBeRemembered: true,
    lateBody: turnBody,
    openclawHeaders: true,
    content: { "application/json": opaque, "text/event-stream": eventStream },
    errors: GATEWAY_ERRORS,
    relaysErrors: true,
    async stream(call) {
      const chosen = openclawHeaders(call.req.headersDistinct);
      const session = chosen[SESSION_KEY_HEADER] ?? DEFAULT_SESSION;
      await withUpstream(proxy, call, async (upstream) => {
        const request = {
          method: "POST",
          path: "/v1/responses",
          forwarded: { ...chosen, [SESSION_KEY_HEADER]: session },
          body: await readTurn(context, call, (body) => ({ ...body, model: AGENT, user: tenantKey(call.tenant) })),
          headersTimeoutMs: TURN_TIMEOUT_MS,
          bodyTimeoutMs: TURN_TIMEOUT_MS,
        } as const;
        await forward(proxy, call, upstream, request, { refusals: "read", headers: { [SESSION_KEY_HEADER]: session } });
      });
    },
  });
}
