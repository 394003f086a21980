import { Gauge, type Registry } from "prom-client";
import { PHASE } from "#crds/index.ts";
import type { Caches } from "./cache/caches.ts";

/** Counts instances by phase whenever somebody asks; names of instances are no labels. */
export function observeInstances(registry: Registry, { instances }: Caches): void {
  new Gauge({
    name: "hatchery_instances",
    help: "OpenClawInstances by phase.",
    labelNames: ["phase"],
    registers: [registry],
    collect() {
      for (const phase of Object.values(PHASE)) this.set({ phase }, 0);
      for (const { status } of instances.list()) this.inc({ phase: status?.phase ?? PHASE.Provisioning });
    },
  });
}
