import type { ApiContext } from "../context.ts";
import { type StreamRoute, streamRoute } from "../http/route.ts";
import { forward } from "../proxy/forward.ts";
import { READ_TIMEOUT_MS, withUpstream } from "../proxy/proxy.ts";
import { GATEWAY_ERRORS, opaque } from "./schemas.ts";

/** `GET /v1/models`: the agents of the caller's own OpenClaw, which is what `model` names there. */
export function listModels({ proxy }: ApiContext): StreamRoute {
  const request = {
    method: "GET",
    path: "/v1/models",
    headersTimeoutMs: READ_TIMEOUT_MS,
    bodyTimeoutMs: READ_TIMEOUT_MS,
  } as const;
  return streamRoute({
    method: "GET",
    path: "/v1/models",
    operation: "listModels",
    tag: "openai",
    summary: "The agents of the caller's own OpenClaw, which is what `model` names there.",
    access: "tenant",
    scope: "openclaw:chat",
    mayBeRemembered: true,
    content: { "application/json": opaque },
    errors: GATEWAY_ERRORS,
    relaysErrors: true,
    stream: (call) =>
      withUpstream(proxy, call, (upstream) => forward(proxy, call, upstream, request, { refusals: "relay" })),
  });
}
