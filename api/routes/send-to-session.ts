import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import { AGENT, finishedResponse, replyText } from "../gateway/turn.ts";
import { readJsonBody, TOOL_BODY_BYTES } from "../http/body.ts";
import { type TenantRoute, tenantRoute } from "../http/route.ts";
import { callGateway } from "../proxy/call-gateway.ts";
import { SESSION_KEY_HEADER } from "../proxy/openclaw-headers.ts";
import { outgoingJson } from "../proxy/outgoing-body.ts";
import { TURN_TIMEOUT_MS, withUpstream } from "../proxy/proxy.ts";
import { writableSessionKey } from "../proxy/session-key.ts";
import { GATEWAY_ERRORS } from "./schemas.ts";

const MAX_TIMEOUT_SECONDS = TURN_TIMEOUT_MS / 1000;

const sendBody = z.strictObject({
  message: z.string().min(1),
  timeoutSeconds: z.number().min(1).max(MAX_TIMEOUT_SECONDS).default(MAX_TIMEOUT_SECONDS),
});

/** `POST /api/openclaw/sessions/:key/send`: one message into a session; answers with the whole reply. */
export function sendToSession({ proxy, clock, bodies }: ApiContext): TenantRoute {
  return tenantRoute({
    method: "POST",
    path: "/api/openclaw/sessions/:key/send",
    operation: "sendToSession",
    tag: "sessions",
    summary: "Sends one message into a session; answers with the whole reply.",
    access: "tenant",
    scope: "openclaw:write",
    params: z.object({ key: writableSessionKey }),
    lateBody: sendBody,
    result: z.strictObject({
      sessionKey: z.string(),
      status: z.string(),
      reply: z.string(),
      responseId: z.string().nullable(),
      usage: z.unknown(),
    }),
    errors: GATEWAY_ERRORS,
    relaysErrors: true,
    async answer(call, { params: { key: sessionKey } }) {
      return withUpstream(proxy, call, async (upstream) => {
        const options = { clock, budget: bodies, owner: tenantKey(call.tenant), limitBytes: TOOL_BODY_BYTES };
        const { value, release } = await readJsonBody(call, options);
        const { message, timeoutSeconds } = sendBody.parse(value);
        const turn = { model: AGENT, input: message, stream: false, user: tenantKey(call.tenant) };
        const answer = await callGateway(proxy, call, upstream, {
          path: "/v1/responses",
          body: outgoingJson(turn, release),
          forwarded: { [SESSION_KEY_HEADER]: sessionKey },
          timeoutMs: timeoutSeconds * 1000,
        });
        const response = finishedResponse.safeParse(answer);
        if (!response.success)
          throw new ApiError("gateway_error", "the instance's answer is not a response", { step: "gateway" });
        const { id, status, usage } = response.data;
        return { sessionKey, status, reply: replyText(response.data), responseId: id ?? null, usage: usage ?? null };
      });
    },
  });
}
