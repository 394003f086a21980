import * as z from "zod";
import type { ApiContext } from "../context.ts";
import { invokeSessionTool } from "../gateway/tools.ts";
import { flag, wholeNumber } from "../http/query.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { withUpstream } from "../proxy/proxy.ts";
import { readableSessionKey } from "../proxy/session-key.ts";
import { GATEWAY_ERRORS, opaque } from "./schemas.ts";

const params = z.object({ key: readableSessionKey });
const query = z.object({
  limit: wholeNumber(1, 1000).optional().describe("Messages at most."),
  includeTools: flag.optional().describe("Calls of tools and their results, too."),
});

/** `GET /api/openclaw/sessions/:key/history`: what was said in one session. */
export function getSessionHistory({ proxy }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/openclaw/sessions/:key/history",
    operation: "getSessionHistory",
    tag: "sessions",
    summary: "What was said in one session.",
    access: "tenant",
    scope: "openclaw:read",
    params,
    query,
    result: opaque,
    errors: ["session_not_found", ...GATEWAY_ERRORS],
    relaysErrors: true,
    async answer(call, input) {
      const args = { sessionKey: input.params.key, ...input.query };
      return withUpstream(proxy, call, (upstream) =>
        invokeSessionTool(proxy, call, upstream, { tool: "sessions_history", args }),
      );
    },
  });
}
