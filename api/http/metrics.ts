import { Counter, Histogram, type Registry } from "prom-client";

/** What the listener counts. */
export interface HttpMetrics {
  requests: Counter<"method" | "route" | "code">;
  duration: Histogram<"method" | "route">;
}

/** The listener's metrics in this registry. */
export function createHttpMetrics(registry: Registry): HttpMetrics {
  return {
    requests: new Counter({
      name: "hatchery_api_requests_total",
      help: "Requests by route and status; 499 = the client left first, 502 = also an answer that was cut off, route unknown = no such path.",
      labelNames: ["method", "route", "code"],
      registers: [registry],
    }),
    duration: new Histogram({
      name: "hatchery_api_request_duration_seconds",
      help: "Time from a request's head to the end of its answer.",
      labelNames: ["method", "route"],
      buckets: [0.001, 0.005, 0.02, 0.1, 0.5, 2.5, 15, 60, 180, 600],
      registers: [registry],
    }),
  };
}
