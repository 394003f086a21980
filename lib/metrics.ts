import { collectDefaultMetrics, Gauge, Registry } from "prom-client";

/** A registry of its own per process (or test), with Node's default metrics and `hatchery_build_info`. */
export function createRegistry(component: string, version: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ component });
  collectDefaultMetrics({ register: registry });
  registry.registerMetric(buildInfo(version));
  return registry;
}

function buildInfo(version: string): Gauge<"version"> {
  const gauge = new Gauge({
    name: "hatchery_build_info",
    help: "Version of this process; always 1.",
    labelNames: ["version"],
    registers: [],
  });
  gauge.set({ version }, 1);
  return gauge;
}
