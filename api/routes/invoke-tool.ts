import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import { defined } from "#lib/defined.ts";
import type { ApiContext } from "../context.ts";
import { invokeTool } from "../gateway/tools.ts";
import { readJsonBody, TOOL_BODY_BYTES } from "../http/body.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { OPENCLAW_HEADERS, openclawHeaders, SESSION_KEY_HEADER } from "../proxy/openclaw-headers.ts";
import { withUpstream } from "../proxy/proxy.ts";
import { writableSessionKey } from "../proxy/session-key.ts";
import { GATEWAY_ERRORS, opaque } from "./schemas.ts";

const toolBody = z.strictObject({
  tool: z.string().regex(/^[a-zA-Z0-9_.:-]{1,128}$/, "is not the name of a tool"),
  action: z.string().min(1).max(128).optional(),
  args: z.record(z.string(), z.unknown()).optional(),
  sessionKey: writableSessionKey.optional(),
  headers: z
    .strictObject({
      "x-openclaw-message-channel": OPENCLAW_HEADERS["x-openclaw-message-channel"].optional(),
      "x-openclaw-account-id": OPENCLAW_HEADERS["x-openclaw-account-id"].optional(),
    })
    .optional()
    .describe("What could also be sent as headers of the call itself."),
  dryRun: z.boolean().optional(),
});

/** `POST /api/openclaw/tools/invoke`: runs one tool; which ones may be run is the gateway's to say. */
export function invokeToolRoute({ proxy, clock, bodies }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/openclaw/tools/invoke",
    operation: "invokeTool",
    tag: "runtime",
    summary: "Runs one tool of the caller's OpenClaw; which ones may be run is the gateway's to say.",
    access: "tenant",
    scope: "openclaw:write",
    lateBody: toolBody,
    openclawHeaders: true,
    result: opaque,
    errors: GATEWAY_ERRORS,
    relaysErrors: true,
    async answer(call) {
      return withUpstream(proxy, call, async (upstream) => {
        const options = { clock, budget: bodies, owner: tenantKey(call.tenant), limitBytes: TOOL_BODY_BYTES };
        const { value, release } = await readJsonBody(call, options);
        const { headers = {}, sessionKey, ...tool } = toolBody.parse(value);
        const { [SESSION_KEY_HEADER]: session, ...sent } = openclawHeaders(call.req.headersDistinct);
        const forwarded = { ...sent, ...defined<Record<string, string>>(headers) };
        const key = sessionKey ?? session;
        const named = { ...tool, ...(key ? { sessionKey: key } : {}) };
        return invokeTool(proxy, call, upstream, named, forwarded, release);
      });
    },
  });
}
