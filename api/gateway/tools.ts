import * as z from "zod";
import { ApiError, GatewayAnswerError } from "../errors.ts";
import type { Call } from "../http/call.ts";
import type { Upstream } from "../instances/upstream.ts";
import { callGateway } from "../proxy/call-gateway.ts";
import { outgoingJson } from "../proxy/outgoing-body.ts";
import { type GatewayProxy, READ_TIMEOUT_MS } from "../proxy/proxy.ts";

/** A tool call in the gateway's own words. */
export interface ToolCall {
  tool: string;
  action?: string | undefined;
  args?: Record<string, unknown> | undefined;
  sessionKey?: string | undefined;
  dryRun?: boolean | undefined;
}

const success = z.object({ ok: z.literal(true), result: z.unknown() });
/** Session tools report their failures inside a success. */
const failure = z.object({ details: z.object({ status: z.enum(["error", "forbidden"]), error: z.string() }) });

/** How OpenClaw begins to say that a session does not exist, by how it was named; there is no code for it. */
const NO_SESSION = /^(No session found|Session not found)\b/;
/** Longest text of a tool that is repeated. */
const MAX_WORDS = 1000;

/**
 * Runs one tool of the tenant's OpenClaw; answers its result. `release` is called when the call's bytes have left.
 * @throws GatewayAnswerError with the gateway's status and words when it refuses.
 */
export async function invokeTool(
  proxy: GatewayProxy,
  call: Call,
  upstream: Upstream,
  tool: ToolCall,
  forwarded: Readonly<Record<string, string>> = {},
  release?: () => void,
): Promise<unknown> {
  const request = { path: "/tools/invoke", body: outgoingJson(tool, release), forwarded, timeoutMs: READ_TIMEOUT_MS };
  const answer = success.safeParse(await callGateway(proxy, call, upstream, request));
  if (answer.success) return answer.data.result;
  proxy.metrics.upstreamErrors.inc({ reason: "malformed" });
  throw new ApiError("gateway_error", "the instance's answer is not a tool result", { step: "gateway" });
}

/**
 * Runs a tool that looks at a session, whose refusals hide in a success.
 * @throws ApiError 404 when there is no session of which the history was asked for, 502 with the tool's words for its other
 * failures; GatewayAnswerError 403 when the tool may not see it.
 */
export async function invokeSessionTool(
  proxy: GatewayProxy,
  call: Call,
  upstream: Upstream,
  tool: ToolCall,
): Promise<unknown> {
  const result = await invokeTool(proxy, call, upstream, tool);
  const refused = failure.safeParse(result);
  if (!refused.success) return result;
  const { status, error } = refused.data.details;
  if (status === "forbidden") throw new GatewayAnswerError(403, "forbidden", error);
  if (tool.tool === "sessions_history" && NO_SESSION.test(error)) {
    throw new ApiError("session_not_found", error, { step: "get_session" });
  }
  throw new ApiError("gateway_error", error.slice(0, MAX_WORDS), { step: "gateway" });
}
