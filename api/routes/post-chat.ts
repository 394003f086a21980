import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { AGENT } from "../gateway/turn.ts";
import type { StreamRoute } from "../http/route.ts";
import { forward } from "../proxy/forward.ts";
import { openclawHeaders, SESSION_KEY_HEADER } from "../proxy/openclaw-headers.ts";
import { TURN_TIMEOUT_MS, withUpstream } from "../proxy/proxy.ts";
import { DEFAULT_SESSION } from "../proxy/session-key.ts";
import { readTurn } from "./read-turn.ts";

/**
 * `POST /api/openclaw/chat`: one turn, in the OpenResponses dialect, streamed as the gateway streams it. Who speaks and which
 * agent answers is ours to say; the session is the caller's choice among its own.
 */
export function postChat(context: ApiContext): StreamRoute {
  const { proxy } = context;
  return {
    method: "POST",
    path: "/api/openclaw/chat",
    operation: "chat",
    access: "tenant",
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
  };
}
