import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** Why a call to a gateway failed: the whole list. */
export type UpstreamErrorReason = "unreachable" | "timeout" | "reset" | "truncated" | "moved" | "malformed";

/** What the proxy counts. */
export interface ProxyMetrics {
  requests: Counter<"route" | "code">;
  duration: Histogram<"route" | "phase">;
  openStreams: Gauge<"kind">;
  bytes: Counter<"dir">;
  upstreamErrors: Counter<"reason">;
}

/** From a quick read to a long turn of an agent. */
const BUCKETS = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 180, 600];

/** The proxy's metrics in this registry. */
export function createProxyMetrics(registry: Registry): ProxyMetrics {
  const registers = [registry];
  return {
    requests: new Counter({
      name: "hatchery_proxy_requests_total",
      help: "Calls to tenants' gateways by the status the client got; 499 = the client left first.",
      labelNames: ["route", "code"],
      registers,
    }),
    duration: new Histogram({
      name: "hatchery_proxy_duration_seconds",
      help: "Time of calls to tenants' gateways, to the first byte (ttfb) and to the end (total).",
      labelNames: ["route", "phase"],
      buckets: BUCKETS,
      registers,
    }),
    openStreams: new Gauge({
      name: "hatchery_proxy_open_streams",
      help: "Streams open to clients now: sse = relayed events, http = other relayed answers, watch = our own events, ws = WebSockets.",
      labelNames: ["kind"],
      registers,
    }),
    bytes: new Counter({
      name: "hatchery_proxy_bytes_total",
      help: "Body bytes to the gateways (up) and to clients (down).",
      labelNames: ["dir"],
      registers,
    }),
    upstreamErrors: new Counter({
      name: "hatchery_proxy_upstream_errors_total",
      help: "Calls to tenants' gateways that failed, by reason.",
      labelNames: ["reason"],
      registers,
    }),
  };
}
