import { Registry } from "prom-client";
import { expect, it } from "vitest";
import type { Caches } from "./cache/caches.ts";
import { anInstance } from "./instance/view.fixture.ts";
import { observeInstances } from "./metrics.ts";

it("instances are counted by phase when somebody asks, phases without any included", async () => {
  const registry = new Registry();
  const list = [anInstance(), anInstance({}, { phase: "Ready" }), anInstance({}, { phase: "Ready" })];
  observeInstances(registry, { instances: { list: () => list } } as Caches);
  const text = await registry.metrics();
  expect(text).toContain('hatchery_instances{phase="Ready"} 2');
  expect(text).toContain('hatchery_instances{phase="Provisioning"} 1');
  expect(text).toContain('hatchery_instances{phase="Failed"} 0');
  list.pop();
  expect(await registry.metrics()).toContain('hatchery_instances{phase="Ready"} 1');
});
