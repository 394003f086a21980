import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { invokeTool } from "../gateway/tools.ts";
import { readJsonBody, TOOL_BODY_BYTES } from "../http/body.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { openclawHeaders, SESSION_KEY_HEADER } from "../proxy/openclaw-headers.ts";
import { withUpstream } from "../proxy/proxy.ts";
import { parseSessionKey } from "../proxy/session-key.ts";
import { GATEWAY_ERRORS, opaque } from "./schemas.ts";

const toolBody = z.strictObject({
  tool: z.string().regex(/^[a-zA-Z0-9_.:-]{1,128}$/, "is not the name of a tool"),
  action: z.string().min(1).max(128).optional(),
  args: z.record(z.string(), z.unknown()).optional(),
  sessionKey: z.string().optional(),
  /** What the caller could also send as headers of the call itself. */
  headers: z
    .strictObject({
      "x-openclaw-message-channel": z.string().optional(),
      "x-openclaw-account-id": z.string().optional(),
    })
    .optional(),
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
    result: opaque,
    errors: GATEWAY_ERRORS,
    relaysErrors: true,
    async answer(call) {
      return withUpstream(proxy, call, async (upstream) => {
        const options = { clock, budget: bodies, owner: tenantKey(call.tenant), limitBytes: TOOL_BODY_BYTES };
        const { value, release } = await readJsonBody(call, options);
        const { headers = {}, sessionKey, ...tool } = toolBody.parse(value);
        const given = Object.entries(headers).map(([name, value]): [string, string[]] => [name, [value ?? ""]]);
        const { [SESSION_KEY_HEADER]: session, ...forwarded } = {
          ...openclawHeaders(call.req.headersDistinct),
          ...openclawHeaders(Object.fromEntries(given)),
        };
        const key = sessionKey === undefined ? session : parseSessionKey(sessionKey, "sessionKey");
        const named = { ...tool, ...(key ? { sessionKey: key } : {}) };
        return invokeTool(proxy, call, upstream, named, forwarded, release);
      });
    },
  });
}
