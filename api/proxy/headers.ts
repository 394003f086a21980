/** Headers of an answer of the gateway, as undici gives them. */
export type GatewayHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** The only headers of the gateway that a caller sees. */
const RETURNED = ["content-type", "content-length", "content-encoding", "retry-after"] as const;

/** True for a stream of server-sent events. */
export function isEventStream(headers: GatewayHeaders): boolean {
  return one(headers["content-type"])?.toLowerCase().startsWith("text/event-stream") ?? false;
}

/** Headers of a request to the gateway: ours, and of the caller's only those that were checked before. */
export function upstreamHeaders(o: {
  token: string;
  requestId: string;
  accept: string;
  forwarded: Readonly<Record<string, string>>;
  /** Length of the JSON body; undefined = none. */
  bodyBytes: number | undefined;
}): Record<string, string> {
  return {
    ...o.forwarded,
    accept: o.accept,
    authorization: `Bearer ${o.token}`,
    "x-request-id": o.requestId,
    ...(o.bodyBytes === undefined ? {} : { "content-type": "application/json", "content-length": String(o.bodyBytes) }),
  };
}

/** What the caller gets to see of the gateway's response headers. */
export function responseHeaders(headers: GatewayHeaders): Record<string, string> {
  const returned: Record<string, string> = {};
  for (const name of RETURNED) {
    const value = one(headers[name]);
    if (value !== undefined) returned[name] = value;
  }
  if (isEventStream(headers)) {
    // Proxies on the way must neither hold events back nor repack them.
    returned["cache-control"] = "no-store, no-transform";
    returned["x-accel-buffering"] = "no";
  }
  return returned;
}

/**
 * True when a turn answered with this status may have run. OpenAI's SDKs repeat 408 and 5xx by themselves unless told not to, and a
 * turn must not run twice. A 503 comes from a gateway that takes no turns: it suspends or restarts.
 */
export function mayHaveRun(status: number): boolean {
  return status === 408 || (status >= 500 && status !== 503);
}

/** Tells an OpenAI SDK not to send the request again. */
export const DO_NOT_RETRY = { "x-should-retry": "false" } as const;

/** Seconds of a `Retry-After` header, if it has that form. */
export function retryAfterSeconds(headers: GatewayHeaders): number | undefined {
  const value = one(headers["retry-after"]);
  return value !== undefined && /^\d{1,6}$/.test(value) ? Number(value) : undefined;
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
