import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import type { InstanceStatus } from "#crds/index.ts";
import type { Caches } from "./cache/caches.ts";
import { anInstance } from "./instance/view.fixture.ts";
import { observeInstances } from "./metrics.ts";

const failure = { step: "pod", reason: "Evicted", message: "m", since: "2026-11-23T10:00:00Z" } as const;
const terminating = [
  { type: "PodReady", status: "False", reason: "PodTerminating", message: "", lastTransitionTime: failure.since },
] as const;

function setUp(...statuses: (InstanceStatus | undefined)[]) {
  const registry = new Registry();
  const list = statuses.map((status) => anInstance({}, status));
  const metrics = observeInstances(registry, { instances: { list: () => list } } as unknown as Caches);
  metrics.leads(true);
  return { list, metrics, text: () => registry.metrics() };
}

describe("instances are counted", () => {
  it("by phase when somebody asks, phases without any included", async () => {
    const { list, text } = setUp(undefined, { phase: "Ready" }, { phase: "Ready" });
    expect(await text()).toContain('hatchery_instances{phase="Ready"} 2');
    expect(await text()).toContain('hatchery_instances{phase="Provisioning"} 1');
    expect(await text()).toContain('hatchery_instances{phase="Failed"} 0');
    list.pop();
    expect(await text()).toContain('hatchery_instances{phase="Ready"} 1');
  });

  it("by what they fail of, as long as they do", async () => {
    const { list, text } = setUp({ failure }, { failure }, { phase: "Ready" });
    expect(await text()).toContain('hatchery_instances_failing{step="pod",reason="Evicted"} 2');
    list.splice(0, 2);
    expect(await text()).not.toContain("hatchery_instances_failing{");
  });

  it("by the leader alone: sums over all operators would count each twice", async () => {
    const { metrics, text } = setUp({ phase: "Ready" }, { phase: "Failed", failure });
    expect(await text()).toMatch(/hatchery_instances(_failing)?\{/);
    metrics.leads(false);
    expect(await text()).not.toMatch(/hatchery_instances(_failing)?\{/);
  });

  it("from 0 on, so that the first of its kind is seen as an increase", async () => {
    const { text } = setUp();
    for (const series of [
      'hatchery_instance_failures_total{step="class",reason="ClassNotFound"}',
      'hatchery_instance_failures_total{step="pod",reason="NodeLost"}',
      'hatchery_instance_failures_total{step="network",reason="ChildRefused"}',
      'hatchery_pod_replacements_total{reason="Evicted"}',
      'hatchery_children_restored_total{kind="NetworkPolicy",done="changed"}',
    ]) {
      expect(await text()).toContain(`${series} 0`);
    }
  });

  it("once when a failure begins, and not while it lasts or when it is over", async () => {
    const { metrics, text } = setUp();
    metrics.changed(undefined, { failure });
    metrics.changed({ failure }, { failure: { ...failure, message: "other" } });
    metrics.changed({ failure }, {});
    metrics.changed({}, { failure: { ...failure, reason: "OutOfMemory" } });
    expect(await text()).toContain('hatchery_instance_failures_total{step="pod",reason="Evicted"} 1');
    expect(await text()).toContain('hatchery_instance_failures_total{step="pod",reason="OutOfMemory"} 1');
  });

  it("by what was done to their children", async () => {
    const { metrics, text } = setUp();
    metrics.restored("Service", "changed");
    expect(await text()).toContain('hatchery_children_restored_total{kind="Service",done="changed"} 1');
  });

  it("by why their pod was replaced", async () => {
    const { metrics, text } = setUp();
    metrics.changed({ failure }, { restarts: 1 });
    metrics.changed({ restarts: 1, conditions: [...terminating] }, { restarts: 2 });
    metrics.changed({ restarts: 2, failure: { ...failure, step: "class", reason: "ClassNotFound" } }, { restarts: 3 });
    metrics.changed({ restarts: 3 }, { restarts: 3 });
    metrics.changed({ restarts: 3, failure: { ...failure, step: "config", reason: "RolledBack" } }, { restarts: 4 });
    expect(await text()).toContain('hatchery_pod_replacements_total{reason="Evicted"} 1');
    expect(await text()).toContain('hatchery_pod_replacements_total{reason="PodTerminating"} 3');
    expect(await text()).not.toMatch(/replacements_total\{reason="(ClassNotFound|RolledBack)"/);
  });
});
