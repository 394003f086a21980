import type { ApiContext } from "../context.ts";
import { AGENT } from "../gateway/turn.ts";
import type { Call } from "../http/call.ts";
import { forward } from "../proxy/forward.ts";
import { openclawHeaders } from "../proxy/openclaw-headers.ts";
import { TURN_TIMEOUT_MS, withUpstream } from "../proxy/proxy.ts";
import { readTurn } from "./read-turn.ts";

/**
 * One turn for an OpenAI SDK. The gateway picks the session: by the session-key header, else by the body's `user`, else a new one
 * per call. Its answers, errors too, are OpenAI's shape already.
 */
export async function forwardTurn(context: ApiContext, call: Call, path: string): Promise<void> {
  const { proxy } = context;
  const forwarded = openclawHeaders(call.req.headersDistinct);
  await withUpstream(proxy, call, async (upstream) => {
    const request = {
      method: "POST",
      path,
      forwarded,
      body: await readTurn(context, call, (body) => ({ model: AGENT, ...body })),
      headersTimeoutMs: TURN_TIMEOUT_MS,
      bodyTimeoutMs: TURN_TIMEOUT_MS,
    } as const;
    await forward(proxy, call, upstream, request, { refusals: "relay" });
  });
}
