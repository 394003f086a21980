import type { ApiContext } from "../context.ts";
import { AGENT, turnBody } from "../gateway/turn.ts";
import { CHAT_BODY_BYTES, readJsonBody } from "../http/body.ts";
import type { Call } from "../http/call.ts";
import { forward } from "../proxy/forward.ts";
import { openclawHeaders } from "../proxy/openclaw-headers.ts";
import { TURN_TIMEOUT_MS, withUpstream } from "../proxy/proxy.ts";

/**
 * One turn for an OpenAI SDK. The gateway picks the session: by the session-key header, else by the body's `user`, else a new one
 * per call. Its answers, errors too, are OpenAI's shape already.
 */
export async function forwardTurn({ proxy, clock }: ApiContext, call: Call, path: string): Promise<void> {
  const forwarded = openclawHeaders(call.req.headersDistinct);
  await withUpstream(proxy, call, async (upstream) => {
    const body = turnBody.parse(await readJsonBody(call, clock, CHAT_BODY_BYTES));
    const request = {
      method: "POST",
      path,
      forwarded,
      body: JSON.stringify({ model: AGENT, ...body }),
      headersTimeoutMs: TURN_TIMEOUT_MS,
      bodyTimeoutMs: TURN_TIMEOUT_MS,
    } as const;
    await forward(proxy, call, upstream, request, { refusals: "relay" });
  });
}
