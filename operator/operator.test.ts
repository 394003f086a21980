import { pino } from "pino";
import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { systemClock } from "#lib/clock.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { createOperator, type OperatorOptions } from "./operator.ts";

/** The parts of an operator that does not run. */
function operator(o: Partial<OperatorOptions>) {
  const registry = new Registry();
  const parts = createOperator({
    client: {} as KubeClient,
    settings: {} as OperatorOptions["settings"],
    callGateway: () => Promise.reject(new Error("nothing runs")),
    suspension: {} as OperatorOptions["suspension"],
    gatewayRecheckMs: 1,
    workers: 1,
    identity: "test",
    clock: systemClock,
    log: pino({ level: "silent" }),
    registry,
    newSlot: () => "slot",
    ...o,
  });
  return { ...parts, registry };
}

describe("an operator", () => {
  it("of the cluster reads nodes and tells of classes", () => {
    const { caches, controllers } = operator({});
    expect(caches.nodes).toBeDefined();
    expect(controllers.map(({ name }) => name)).toEqual(["instance", "class"]);
  });

  it("of some namespaces does neither, nor does it gather what nobody tells of", async () => {
    const { caches, controllers, registry } = operator({ namespaces: ["team-a"] });
    expect(caches.nodes).toBeUndefined();
    expect(controllers.map(({ name }) => name)).toEqual(["instance"]);
    expect(await registry.metrics()).not.toContain('workqueue_adds_total{name="class"');
  });

  it("calls no gateway any more once its work has ended, and tells of no instances", async () => {
    const calls: AbortSignal[] = [];
    const hang = (_: unknown, signal: AbortSignal) => {
      calls.push(signal);
      return new Promise<never>(() => undefined);
    };
    const { controllers, prober, drainer, registry } = operator({
      callGateway: hang,
      suspension: { suspend: hang, resume: hang },
    });
    const stop = new AbortController();
    const ended = Promise.all(controllers.map((controller) => controller.run(stop.signal)));
    const target = { id: "id", url: "http://gateway.test", token: () => "token" };
    prober.want("n/a", target);
    drainer.drain("n/b", target);
    expect(calls.map(({ aborted }) => aborted)).toEqual([false, false]);
    expect(await registry.metrics()).toContain("hatchery_instances{");
    stop.abort();
    await ended;
    expect(await registry.metrics()).not.toContain("hatchery_instances{");
    expect(calls.map(({ aborted }) => aborted)).toEqual([true, true]);
  });
});
