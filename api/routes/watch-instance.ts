import { tenantKey } from "#crds/index.ts";
import { aborted } from "#lib/aborted.ts";
import type { ApiContext } from "../context.ts";
import type { Call } from "../http/call.ts";
import { type StreamRoute, streamRoute } from "../http/route.ts";
import { summarize } from "../instances/summary.ts";
import { HEARTBEAT, startHeartbeat } from "../proxy/heartbeat.ts";
import { eventStream, READ_ERRORS } from "./schemas.ts";

/** How soon a client of a draining replica may come again, milliseconds. */
const RECONNECT_MS = 1_000;

/** `GET /api/openclaw/instance/watch`: server-sent events, one per state of the tenant's instance, the present one first. */
export function watchInstance(context: ApiContext): StreamRoute {
  return streamRoute({
    method: "GET",
    path: "/api/openclaw/instance/watch",
    operation: "watchInstance",
    tag: "instance",
    summary:
      "The states of the caller's OpenClaw as they come, the present one first: `event: instance`, data as of `GET /api/openclaw/instance`.",
    access: "tenant",
    scope: "openclaw:read",
    content: { "text/event-stream": eventStream },
    errors: ["too_many_streams", ...READ_ERRORS],
    async stream(call) {
      const { proxy, instances } = context;
      const release = proxy.streams.acquire(tenantKey(call.tenant));
      proxy.metrics.openStreams.inc({ kind: "watch" });
      try {
        // 503 instead of a first event that may be wrong.
        await instances.get(call.tenant);
        await sendStates(context, call);
      } finally {
        proxy.metrics.openStreams.dec({ kind: "watch" });
        release();
      }
    },
  });
}

async function sendStates({ directory, clock, draining }: ApiContext, call: Call): Promise<void> {
  const { res, tenant, signal } = call;
  res.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store, no-transform",
    "x-accel-buffering": "no",
  });
  const heartbeat = startHeartbeat(clock, () => {
    if (!res.writableNeedDrain) res.write(HEARTBEAT);
  });
  let sent: string | undefined;
  const send = () => {
    // A slow reader gets the newest state once it reads again, not all it missed.
    if (res.writableNeedDrain || res.destroyed) return;
    const instance = directory.find(tenant);
    const data = JSON.stringify(instance ? summarize(instance) : null);
    if (data === sent) return;
    sent = data;
    heartbeat.touch();
    res.write(`event: instance\ndata: ${data}\n\n`);
  };
  res.on("drain", send);
  const unsubscribe = directory.subscribe(tenant, send);
  try {
    send();
    await aborted(AbortSignal.any([signal, draining]));
  } finally {
    unsubscribe();
    heartbeat.stop();
  }
  if (!signal.aborted) res.end(`retry: ${RECONNECT_MS}\n\n`);
}
