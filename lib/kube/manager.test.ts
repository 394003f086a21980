import { pino } from "pino";
import { Registry } from "prom-client";
import { beforeEach, describe, expect, it } from "vitest";
import { aborted } from "#lib/aborted.ts";
import type { OpsServer } from "#lib/ops-server.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createController } from "./controller.ts";
import { type ManagedController, type ManagedInformer, type ManagerOptions, runManager } from "./manager.ts";

describe("manager", () => {
  let clock: ManualClock;
  let stop: AbortController;
  /** What happened, in order. */
  let steps: string[];

  beforeEach(() => {
    clock = new ManualClock();
    stop = new AbortController();
    steps = [];
  });

  const opsServer: OpsServer = {
    async listen() {
      steps.push("listen");
      return { port: 1 };
    },
    setReady: (ready) => void steps.push(ready ? "ready" : "unready"),
    close: async () => void steps.push("close ops server"),
  };

  /** A cache that syncs when told to. */
  class Cache implements ManagedInformer {
    readonly name: string;
    readonly #synced = Promise.withResolvers<void>();
    readonly #broken = Promise.withResolvers<never>();
    readonly copies = [this];
    hasSynced = false;
    lastError: Error | undefined;

    constructor(name: string) {
      this.name = name;
      this.#broken.promise.catch(() => undefined);
    }

    async run(signal: AbortSignal): Promise<void> {
      steps.push(`run ${this.name}`);
      await Promise.race([this.#broken.promise, aborted(signal)]);
      steps.push(`end ${this.name}`);
    }

    async synced(signal?: AbortSignal): Promise<void> {
      await Promise.race([this.#synced.promise, ...(signal ? [aborted(signal)] : [])]);
      if (!this.hasSynced) throw signal?.reason;
    }

    sync(): void {
      this.hasSynced = true;
      this.#synced.resolve();
    }

    fail(error: Error): void {
      this.#broken.reject(error);
    }
  }

  function worker(name: string): ManagedController {
    return {
      async run(signal) {
        steps.push(`start ${name}`);
        await aborted(signal);
        steps.push(`stop ${name}`);
      },
    };
  }

  function run(o: Partial<ManagerOptions>): Promise<void> {
    return runManager({
      informers: [],
      controllers: [],
      opsServer,
      events: { flush: async () => void steps.push("flush events") },
      client: { close: async () => void steps.push("close client") },
      log: pino({ level: "silent" }),
      clock,
      signal: stop.signal,
      ...o,
    });
  }

  it("starts in order and stops in reverse", async () => {
    const [pods, claws] = [new Cache("pods"), new Cache("claws")];
    const running = run({ informers: [pods, claws], controllers: [worker("controller")] });
    await clock.advance(1);
    expect(steps).toEqual(["listen", "run pods", "run claws"]);
    pods.sync();
    await clock.advance(1);
    expect(steps).not.toContain("ready");
    claws.sync();
    await clock.advance(1);
    expect(steps.slice(3)).toEqual(["ready", "start controller"]);
    steps.length = 0;
    stop.abort();
    await running;
    expect(steps.filter((step, index) => step !== steps[index - 1])).toEqual([
      "unready",
      "stop controller",
      "unready",
      "end pods",
      "end claws",
      "flush events",
      "close client",
      "close ops server",
    ]);
    expect(clock.pending).toBe(0);
  });

  it("names the caches that do not sync in 2 minutes, and why they do not, and fails", async () => {
    const [pods, claws] = [new Cache("pods"), new Cache("claws")];
    const running = run({ informers: [pods, claws, new Cache("secrets")], controllers: [worker("controller")] });
    const failed = expect(running).rejects.toThrow("caches not synced after 120000 ms: claws (403 Forbidden), secrets");
    pods.sync();
    claws.lastError = new Error("403 Forbidden");
    await clock.advance(120_000);
    await failed;
    expect(steps).not.toContain("ready");
    expect(steps).not.toContain("start controller");
    expect(steps.at(-1)).toBe("close ops server");
  });

  it("stops in good order before the caches are synced", async () => {
    const running = run({ informers: [new Cache("pods")], controllers: [worker("controller")] });
    await clock.advance(1);
    stop.abort();
    await running;
    expect(steps).not.toContain("ready");
    expect(steps).not.toContain("start controller");
    expect(clock.pending).toBe(0);
  });

  it("stops all and throws the cause when a cache or a controller fails", async () => {
    const pods = new Cache("pods");
    const running = run({ informers: [pods], controllers: [worker("controller")] });
    const failed = expect(running).rejects.toThrow("a handler threw");
    pods.sync();
    await clock.advance(1);
    pods.fail(new Error("a handler threw"));
    await failed;
    expect(steps).toContain("stop controller");
    expect(steps.at(-1)).toBe("close ops server");

    const broken = { run: () => Promise.reject(new Error("a worker is broken")) };
    await expect(run({ controllers: [worker("other"), broken] })).rejects.toThrow("a worker is broken");
    expect(steps).toContain("stop other");
  });

  it("goes on stopping when a step of it fails", async () => {
    const running = run({ events: { flush: () => Promise.reject(new Error("no")) } });
    await clock.advance(1);
    stop.abort();
    await running;
    expect(steps.slice(-2)).toEqual(["close client", "close ops server"]);
  });

  it("gives up on events that cannot be written in time", async () => {
    let cut = false;
    const running = run({
      events: {
        async flush(signal) {
          if (signal) await aborted(signal);
          cut = true;
        },
      },
    });
    await clock.advance(1);
    stop.abort();
    await clock.advance(4_999);
    expect(cut).toBe(false);
    await clock.advance(1);
    await running;
    expect(cut).toBe(true);
  });

  it("lets a real controller finish what it does before the caches end", async () => {
    const [pods, work] = [new Cache("pods"), Promise.withResolvers<void>()];
    const controller = createController({
      name: "claws",
      workers: 1,
      clock,
      log: pino({ level: "silent" }),
      registry: new Registry(),
      async reconcile() {
        await work.promise;
        steps.push("reconciled");
        return undefined;
      },
    });
    controller.queue.add("a");
    const running = run({ informers: [pods], controllers: [controller] });
    pods.sync();
    await clock.advance(1);
    stop.abort();
    await clock.advance(10_000);
    expect(steps).not.toContain("end pods");
    work.resolve();
    await running;
    expect(steps.indexOf("reconciled")).toBeLessThan(steps.indexOf("end pods"));
    expect(steps).toContain("reconciled");
  });
});
