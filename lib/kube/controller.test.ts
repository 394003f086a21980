import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { type Controller, type ControllerOptions, createController, type Result } from "./controller.ts";
import { KubeError } from "./errors.ts";
import { PRIORITY } from "./queue.ts";

describe("controller", () => {
  let clock: ManualClock;
  let registry: Registry;
  let stop: AbortController;
  let lines: Record<string, unknown>[];
  let running: Promise<void> | undefined;

  beforeEach(() => {
    clock = new ManualClock();
    registry = new Registry();
    stop = new AbortController();
    lines = [];
    running = undefined;
  });

  afterEach(async () => {
    stop.abort();
    const ended = running?.catch(() => undefined);
    await clock.advance(60_000);
    await ended;
  });

  function start(
    o: Partial<ControllerOptions> & Pick<ControllerOptions, "reconcile">,
    abandon?: AbortSignal,
  ): Controller {
    const log = pino({ level: "debug" }, { write: (line: string) => lines.push(JSON.parse(line)) });
    let id = 0;
    const newReconcileId = () => `r${++id}`;
    const controller = createController({
      name: "claws",
      workers: 2,
      clock,
      log,
      registry,
      random: () => 0.5,
      newReconcileId,
      ...o,
    });
    running = controller.run(stop.signal, abandon);
    return controller;
  }

  async function counter(name: string): Promise<number | undefined> {
    const text = await registry.metrics();
    const line = text.split("\n").find((other) => other.startsWith(`controller_runtime_${name}`));
    return line === undefined ? undefined : Number(line.split(" ")[1]);
  }

  it("starts with all its metrics at 0", async () => {
    start({ reconcile: async () => undefined });
    for (const result of ["success", "error", "requeue", "requeue_after"]) {
      expect(await counter(`reconcile_total{controller="claws",result="${result}"}`)).toBe(0);
    }
    for (const name of [
      "reconcile_errors_total",
      "terminal_reconcile_errors_total",
      "reconcile_panics_total",
      "reconcile_timeouts_total",
      "active_workers",
      "reconcile_time_seconds_count",
    ]) {
      expect(await counter(name), name).toBe(0);
    }
    expect(await counter("max_concurrent_reconciles")).toBe(2);
    expect(await registry.metrics()).toContain('workqueue_depth{name="claws",controller="claws",priority="0"} 0');
  });

  it("reconciles several keys at a time but never one key twice at a time", async () => {
    const gates = new Map<string, PromiseWithResolvers<void>>();
    const seen: string[] = [];
    const controller = start({
      async reconcile(key) {
        seen.push(key);
        const own = Promise.withResolvers<void>();
        gates.set(key, own);
        await own.promise;
        return undefined;
      },
    });
    for (const key of ["a", "b", "c"]) controller.queue.add(key);
    await clock.advance(1);
    expect(seen).toEqual(["a", "b"]);
    expect(await counter("active_workers")).toBe(2);
    controller.queue.add("a");
    gates.get("b")?.resolve();
    await clock.advance(1);
    expect(seen).toEqual(["a", "b", "c"]);
    gates.get("c")?.resolve();
    await clock.advance(1);
    expect(seen).toEqual(["a", "b", "c"]);
    gates.get("a")?.resolve();
    await clock.advance(1);
    expect(seen).toEqual(["a", "b", "c", "a"]);
    gates.get("a")?.resolve();
    await clock.advance(1);
    expect(await counter('reconcile_total{controller="claws",result="success"}')).toBe(4);
    expect(await counter("active_workers")).toBe(0);
  });

  it("retries an error with a growing back-off that success resets", async () => {
    const at: number[] = [];
    const began = clock.now();
    let failing = true;
    const controller = start({
      async reconcile() {
        at.push(clock.now() - began);
        if (failing) throw new Error("the world is not ready");
        return undefined;
      },
    });
    controller.queue.add("a");
    await clock.advance(35);
    expect(at).toEqual([0, 5, 15, 35]);
    expect(controller.queue.failures("a")).toBe(4);
    failing = false;
    await clock.advance(40);
    expect(at).toEqual([0, 5, 15, 35, 75]);
    expect(controller.queue.failures("a")).toBe(0);
    expect(controller.queue.size).toBe(0);
    expect(await counter('reconcile_total{controller="claws",result="error"}')).toBe(4);
    expect(await counter("reconcile_errors_total")).toBe(4);
    expect(await counter("reconcile_panics_total")).toBe(0);
    const failed = lines.find((line) => line.msg === "reconcile failed; trying again");
    expect(failed).toMatchObject({ controller: "claws", object: "a", reconcileId: "r1", retryInMs: 5, failures: 1 });
    expect(failed).toHaveProperty("err.message", "the world is not ready");
  });

  it("waits as long as an overloaded apiserver asks, where that is longer than the back-off", async () => {
    const at: number[] = [];
    const waits = [60_000, 1, undefined];
    const controller = start({
      async reconcile() {
        at.push(clock.monotonic());
        if (waits.length === 0) return undefined;
        const retryAfterMs = waits.shift();
        throw new KubeError("PATCH pods: 429 TooManyRequests", {
          status: 429,
          reason: "TooManyRequests",
          retryAfterMs,
        });
      },
    });
    controller.queue.add("a");
    await clock.advance(61_000);
    expect(at).toEqual([0, 60_000, 60_010, 60_030]);
    expect(lines.find((line) => line.failures === 1)).toMatchObject({ retryInMs: 60_000 });
  });

  it("leaves work that comes back in its row: what was not urgent does not become so", async () => {
    const seen: string[] = [];
    const controller = start({
      workers: 1,
      async reconcile(key) {
        seen.push(key);
        if (seen.length === 1) return { requeueAfterMs: 100 };
        // Both keys fall due while this one is worked on.
        await new Promise<void>((resolve) => void clock.setTimer(resolve, 1000));
        return undefined;
      },
    });
    controller.queue.add("initial", { priority: PRIORITY.initial });
    await clock.advance(1);
    controller.queue.add("busy");
    await clock.advance(500);
    controller.queue.add("urgent");
    await clock.advance(3000);
    expect(seen).toEqual(["initial", "busy", "urgent", "initial"]);
  });

  it.each([
    [0, 900],
    [0.5, 1000],
    [0.999999, 1100],
  ])("comes back after the wished time +-10%% (random %d: %d ms)", async (random, expected) => {
    let at: number | undefined;
    const began = clock.now();
    const results: Result[] = [{ requeueAfterMs: 1000 }];
    const controller = start({
      random: () => random,
      async reconcile() {
        at = clock.now() - began;
        return results.shift();
      },
    });
    controller.queue.add("a");
    await clock.advance(5000);
    expect(at).toBeCloseTo(expected, 2);
    expect(await counter('reconcile_total{controller="claws",result="requeue_after"}')).toBe(1);
    expect(controller.queue.failures("a")).toBe(0);
  });

  it("forgets earlier failures on a requeue", async () => {
    let calls = 0;
    const controller = start({
      async reconcile() {
        if (++calls < 3) throw new Error("not yet");
        return { requeueAfterMs: 1e6 };
      },
    });
    controller.queue.add("a");
    await clock.advance(15);
    expect(calls).toBe(3);
    expect(controller.queue.failures("a")).toBe(0);
  });

  it.each([Number.NaN, -1, Number.POSITIVE_INFINITY])("takes a wish for %d ms for a fault", async (requeueAfterMs) => {
    const controller = start({ reconcile: async () => ({ requeueAfterMs }) });
    controller.queue.add("a");
    await clock.advance(1);
    expect(await counter("reconcile_panics_total")).toBe(1);
    expect(controller.queue.failures("a")).toBe(1);
  });

  it("survives faults of the program, counts them and works on", async () => {
    const faults: unknown[] = [new TypeError("undefined is not a function"), "a string", undefined];
    const controller = start({
      workers: 1,
      reconcile() {
        // A throw before the first promise, as a slip in a function that is not async would be.
        if (faults.length) throw faults.shift();
        return Promise.resolve(undefined);
      },
    });
    controller.queue.add("a");
    await clock.advance(100);
    expect(await counter("reconcile_panics_total")).toBe(3);
    expect(await counter('reconcile_total{controller="claws",result="success"}')).toBe(1);
  });

  it("aborts a reconcile at its deadline and retries it", async () => {
    let calls = 0;
    const controller = start({
      timeoutMs: 30_000,
      async reconcile(_, { signal }) {
        calls++;
        await new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
        return undefined;
      },
    });
    controller.queue.add("a");
    await clock.advance(29_999);
    expect(await counter("reconcile_timeouts_total")).toBe(0);
    await clock.advance(1);
    expect(await counter("reconcile_timeouts_total")).toBe(1);
    expect(await counter("reconcile_errors_total")).toBe(1);
    await clock.advance(5);
    expect(calls).toBe(2);
    expect(lines.some((line) => String(line.msg).includes("deadline"))).toBe(true);
  });

  it("leaves no timer behind after a reconcile", async () => {
    const controller = start({ reconcile: async () => undefined });
    controller.queue.add("a");
    await clock.advance(1);
    expect(clock.pending).toBe(0);
  });

  describe("stopping", () => {
    it("lets the work under way end, hands out nothing more, and then resolves", async () => {
      const seen: string[] = [];
      const busy = Promise.withResolvers<void>();
      let aborted = false;
      const controller = start({
        workers: 1,
        async reconcile(key, { signal }) {
          seen.push(key);
          await busy.promise;
          aborted = signal.aborted;
          return { requeueAfterMs: 1 };
        },
      });
      controller.queue.add("a");
      controller.queue.add("b");
      await clock.advance(1);
      stop.abort();
      await clock.advance(29_000);
      busy.resolve();
      await running;
      expect([seen, aborted]).toEqual([["a"], false]);
      expect(clock.pending).toBe(0);
    });

    it("resolves at once when nothing is under way", async () => {
      start({ reconcile: async () => undefined });
      stop.abort();
      await running;
      expect(clock.pending).toBe(0);
    });

    it("aborts what outlives the grace, without counting it as an error", async () => {
      const controller = start({
        timeoutMs: 1e6,
        async reconcile(_, { signal }) {
          await new Promise((_resolve, reject) =>
            signal.addEventListener("abort", () => reject(signal.reason as Error)),
          );
          return undefined;
        },
      });
      controller.queue.add("a");
      await clock.advance(1);
      stop.abort();
      await clock.advance(29_999);
      expect(await counter("active_workers")).toBe(1);
      await clock.advance(1);
      await running;
      expect(await counter("reconcile_errors_total")).toBe(0);
    });

    it("gives no grace once told to abandon", async () => {
      const abandon = new AbortController();
      let reason: unknown;
      const controller = start(
        {
          async reconcile(_, { signal }) {
            await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
            reason = signal.reason;
            return undefined;
          },
        },
        abandon.signal,
      );
      controller.queue.add("a");
      await clock.advance(1);
      abandon.abort();
      await running;
      expect(reason).toBeInstanceOf(Error);
      expect(await controller.queue.get()).toBeUndefined();
    });

    it("names the reconciles that do not end even when aborted", async () => {
      const never = Promise.withResolvers<Result>();
      const controller = start({ timeoutMs: 1e6, reconcile: () => never.promise });
      controller.queue.add("ns/stuck");
      await clock.advance(1);
      stop.abort();
      const failed = expect(running).rejects.toThrow("reconciles do not end: ns/stuck");
      await clock.advance(35_000);
      await failed;
    });
  });
});
