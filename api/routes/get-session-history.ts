import * as z from "zod";
import type { ApiContext } from "../context.ts";
import { invokeSessionTool } from "../gateway/tools.ts";
import type { TenantRoute } from "../http/route.ts";
import { withUpstream } from "../proxy/proxy.ts";
import { parseReadableSessionKey } from "../proxy/session-key.ts";

const query = z.object({
  limit: z.coerce.number().int().min(1).max(1000).optional(),
  includeTools: z.stringbool().optional(),
});

/** `GET /api/openclaw/sessions/:key/history`: what was said in one session. */
export function getSessionHistory({ proxy }: ApiContext): TenantRoute {
  return {
    method: "GET",
    path: "/api/openclaw/sessions/:key/history",
    operation: "getSessionHistory",
    access: "tenant",
    async answer(call) {
      const sessionKey = parseReadableSessionKey(String(call.req.params.key), "key");
      const args = { sessionKey, ...query.parse(call.req.query) };
      return withUpstream(proxy, call, (upstream) =>
        invokeSessionTool(proxy, call, upstream, { tool: "sessions_history", args }),
      );
    },
  };
}
