import { Counter, Histogram, type Registry } from "prom-client";

/** Metrics of client-go's names and buckets, so that stock dashboards fit. One set per registry, shared by all clients on it. */
export interface RestClientMetrics {
  requests: Counter<"code" | "method" | "host">;
  duration: Histogram<"verb" | "host">;
  retries: Counter<"code" | "verb" | "host">;
}

const DURATION_BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
const rest = new WeakMap<Registry, RestClientMetrics>();

/** The `rest_client_*` metrics of a registry. */
export function restClientMetrics(registry: Registry): RestClientMetrics {
  const known = rest.get(registry);
  if (known) return known;
  const registers = [registry];
  const made: RestClientMetrics = {
    requests: new Counter({
      name: "rest_client_requests_total",
      help: "Requests to the apiserver by status code; <error> = no answer.",
      labelNames: ["code", "method", "host"],
      registers,
    }),
    duration: new Histogram({
      name: "rest_client_request_duration_seconds",
      help: "Time to the end of an answer of the apiserver, for a watch to its start.",
      labelNames: ["verb", "host"],
      buckets: DURATION_BUCKETS,
      registers,
    }),
    retries: new Counter({
      name: "rest_client_request_retries_total",
      help: "Requests to the apiserver sent again, by the code that made it necessary.",
      labelNames: ["code", "verb", "host"],
      registers,
    }),
  };
  rest.set(registry, made);
  return made;
}
