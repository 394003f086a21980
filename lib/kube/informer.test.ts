import { pino } from "pino";
import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { ScriptedApiserver } from "#test/harness/scripted-apiserver.ts";
import { KubeError } from "./errors.ts";
import { createInformer } from "./informer.ts";
import { CONFIG_MAPS } from "./resource.ts";

function setUp() {
  const server = new ScriptedApiserver();
  const clock = new ManualClock();
  const registry = new Registry();
  const log = pino({ level: "silent" });
  const informer = createInformer({ client: server.client, type: CONFIG_MAPS, clock, log, registry, random: () => 0 });
  return { server, clock, registry, informer, stop: new AbortController() };
}

describe("the informer", () => {
  it("is not synced by a failed list", async () => {
    const { server, clock, informer, stop } = setUp();
    server.listFaults.push("server", "unauthorized");
    server.write("a", "1");
    const running = informer.run(stop.signal);
    let synced = false;
    const waiting = informer.synced().then(() => {
      synced = true;
    });
    await clock.advance(799 + 1_600);
    const [copy] = informer.copies;
    expect(copy).toMatchObject({ name: "configmaps", hasSynced: false, lastError: { status: 401 } });
    expect([synced, informer.hasSynced, informer.lastSyncAgeMs()]).toEqual([false, false, Number.POSITIVE_INFINITY]);
    await clock.advance(1);
    await waiting;
    expect([informer.hasSynced, informer.lastSyncAgeMs(), informer.list().length]).toEqual([true, 0, 1]);
    expect([copy?.hasSynced, copy?.lastError]).toEqual([true, undefined]);
    await clock.advance(5_000);
    expect(informer.lastSyncAgeMs()).toBe(5_000);
    stop.abort();
    await running;
  });

  it("does not take back in what is gone when its last two events come in the wrong order", async () => {
    const { server, clock, informer, stop } = setUp();
    const running = informer.run(stop.signal);
    await clock.advance(0);
    server.swaps = true;
    server.write("a", "1");
    server.delete("a");
    server.write("b", "1");
    await clock.advance(60_000);
    expect(informer.list().map(({ metadata }) => metadata.name)).toEqual(["b"]);
    stop.abort();
    await running;
  });

  it("ends with the error of a handler that throws in the list, in an event, and for our own write", async () => {
    for (const when of ["list", "event", "assume"] as const) {
      const { server, clock, informer, stop } = setUp();
      // In an event the handler's own request has failed: that is no failure of the watch.
      const bug = when === "event" ? new KubeError("a bug", { status: 500, reason: "Bug" }) : new TypeError("a bug");
      informer.onChange(() => {
        throw bug;
      });
      if (when === "list") server.write("a", "1");
      const outcome = informer.run(stop.signal).catch((error: unknown) => error);
      await clock.advance(0);
      if (when === "event") server.write("a", "1");
      if (when === "assume") expect(() => informer.assume(server.write("a", "1"))).toThrow(bug);
      expect(await outcome).toBe(bug);
      expect(clock.pending).toBe(0);
    }
  });

  it("tells those who wait for it when it ends before its first list", async () => {
    const { server, clock, informer, stop } = setUp();
    server.listFaults.push("network");
    const running = informer.run(stop.signal);
    const waiting = informer.synced().catch((error: unknown) => error);
    await clock.advance(10);
    stop.abort();
    await running;
    expect(await waiting).toMatchObject({ message: expect.stringContaining("before its first list") });
  });

  it("lets a waiter go with its own signal", async () => {
    const { informer } = setUp();
    await expect(informer.synced(AbortSignal.abort(new Error("no patience")))).rejects.toThrow("no patience");
  });

  it("stopped during a back-off leaves nothing running", async () => {
    const { server, clock, informer, stop } = setUp();
    server.watchFaults.push({ kind: "network", after: 0 });
    const running = informer.run(stop.signal);
    await clock.advance(100);
    expect(clock.pending).toBe(1);
    stop.abort();
    await running;
    expect(clock.pending).toBe(0);
    await clock.advance(600_000);
    server.write("a", "1");
    expect(informer.list()).toEqual([]);
  });

  it("reads back its own write at once, and never an answer that the watch has overtaken", async () => {
    const { server, clock, informer, stop } = setUp();
    const changes: string[] = [];
    informer.onChange((change) => changes.push(`${change.type} ${change.object.data?.value}`));
    const running = informer.run(stop.signal);
    await clock.advance(0);
    informer.assume(server.write("a", "1"));
    expect(informer.get("default/a")?.data).toEqual({ value: "1" });
    const late = server.write("a", "2");
    server.delete("a");
    await clock.advance(0);
    informer.assume(late);
    expect(informer.list()).toEqual([]);
    expect(changes).toEqual(["added 1", "updated 2", "deleted 2"]);
    stop.abort();
    await running;
  });

  it("watches on at once when the server ends a watch in good order, without a list", async () => {
    const { server, clock, informer, registry, stop } = setUp();
    server.watchFaults.push({ kind: "end", after: 1 }, { kind: "end", after: 1 });
    const running = informer.run(stop.signal);
    await clock.advance(0);
    for (const value of ["1", "2", "3"]) {
      server.write("a", value);
      await clock.advance(0);
    }
    expect(informer.get("default/a")?.data).toEqual({ value: "3" });
    const metrics = await registry.metrics();
    expect(metrics).toContain('hatchery_informer_relists_total{resource="configmaps",reason="start"} 1');
    expect(metrics).toContain('hatchery_informer_watches_total{resource="configmaps"} 3');
    expect(metrics).toContain('hatchery_informer_objects{resource="configmaps"} 1');
    expect(metrics).toContain('hatchery_informer_last_sync_age_seconds{resource="configmaps"} 0');
    stop.abort();
    await running;
  });

  it("does not watch in a loop when the server ends each watch at once", async () => {
    const { server, clock, informer, registry, stop } = setUp();
    for (let i = 0; i < 50; i++) server.watchFaults.push({ kind: "end", after: 0 });
    const running = informer.run(stop.signal);
    await clock.advance(3_000);
    const watches = /watches_total\{.*\} (\d+)/.exec(await registry.metrics())?.[1];
    // At 0, 0.8 and 2.4 s.
    expect(watches).toBe("3");
    stop.abort();
    await running;
  });

  it.each(["expired", "expired-event", "error-event", "malformed"] as const)("lists anew after %s", async (kind) => {
    const { server, clock, informer, registry, stop } = setUp();
    server.watchFaults.push({ kind, after: 0 });
    server.write("a", "1");
    const running = informer.run(stop.signal);
    await clock.advance(0);
    server.delete("a");
    server.write("b", "1");
    await clock.advance(800);
    expect(informer.list().map((one) => one.metadata.name)).toEqual(["b"]);
    expect(await registry.metrics()).toMatch(/relists_total\{resource="configmaps",reason="(?!start).*"\} 1/);
    stop.abort();
    await running;
  });

  it.each(["network", "server", "unauthorized"] as const)("goes on from its place after %s", async (kind) => {
    const { server, clock, informer, registry, stop } = setUp();
    server.watchFaults.push({ kind, after: 0 });
    const running = informer.run(stop.signal);
    await clock.advance(0);
    server.write("a", "1");
    await clock.advance(800);
    expect(informer.list()).toHaveLength(1);
    expect((await registry.metrics()).match(/relists_total\{.*/g)).toHaveLength(1);
    stop.abort();
    await running;
  });
});
