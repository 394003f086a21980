import { Gauge, Histogram, Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { bucketsOf, parseMetrics, sumOf } from "./prometheus.ts";

describe("a page of metrics", () => {
  it("is read as prom-client writes it", async () => {
    const registry = new Registry();
    registry.setDefaultLabels({ component: "x" });
    const gauge = new Gauge({ name: "depth", help: "h", labelNames: ["queue"], registers: [registry] });
    gauge.set({ queue: 'a "quoted", one' }, 3);
    gauge.set({ queue: "b" }, 4);
    const time = new Histogram({ name: "took", help: "h", buckets: [1, 2], labelNames: ["c"], registers: [registry] });
    time.observe({ c: "a" }, 0.5);
    time.observe({ c: "b" }, 1.5);
    time.observe({ c: "b" }, 9);
    const samples = parseMetrics(await registry.metrics());
    expect([sumOf(samples, "depth"), sumOf(samples, "depth", { queue: "b", component: "x" })]).toEqual([7, 4]);
    expect(sumOf(samples, "depth", { queue: 'a \\"quoted\\", one' })).toBe(3);
    expect(sumOf(samples, "none")).toBe(0);
    expect(bucketsOf(samples, "took")).toEqual([
      [1, 1],
      [2, 2],
      [Number.POSITIVE_INFINITY, 3],
    ]);
  });
});
