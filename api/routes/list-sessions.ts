import * as z from "zod";
import type { ApiContext } from "../context.ts";
import { invokeSessionTool } from "../gateway/tools.ts";
import { wholeNumber } from "../http/query.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { withUpstream } from "../proxy/proxy.ts";
import { GATEWAY_ERRORS, opaque } from "./schemas.ts";

const positive = wholeNumber(1, 100_000);
const kinds = z.string().regex(/^[a-z][a-z-]{0,31}(?:,[a-z][a-z-]{0,31}){0,15}$/, "is not a list of kinds of sessions");

const query = z.object({
  limit: positive.optional().describe("Sessions at most."),
  activeMinutes: positive.optional().describe("Only those with something new within so many minutes."),
  messageLimit: wholeNumber(0, 1000).optional().describe("Messages of each at most."),
  kinds: z
    .preprocess(
      (given) => (typeof given === "string" ? [given] : given),
      z
        .array(kinds)
        .max(16)
        .transform((lists) => lists.flatMap((list) => list.split(","))),
    )
    .optional()
    .describe("Only sessions of these kinds: repeated, or separated by commas."),
});

/** `GET /api/openclaw/sessions`: the sessions of the tenant's OpenClaw, as its own tool lists them. */
export function listSessions({ proxy }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "GET",
    path: "/api/openclaw/sessions",
    operation: "listSessions",
    tag: "sessions",
    summary: "The sessions of the caller's OpenClaw.",
    access: "tenant",
    scope: "openclaw:read",
    query,
    result: opaque,
    errors: GATEWAY_ERRORS,
    relaysErrors: true,
    async answer(call, { query: args }) {
      return withUpstream(proxy, call, (upstream) =>
        invokeSessionTool(proxy, call, upstream, { tool: "sessions_list", args }),
      );
    },
  });
}
