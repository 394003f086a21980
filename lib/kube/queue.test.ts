import { Registry } from "prom-client";
import { beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createWorkQueue, PRIORITY, type WorkQueue } from "./queue.ts";

describe("work queue", () => {
  let clock: ManualClock;
  let registry: Registry;
  let queue: WorkQueue;

  beforeEach(() => {
    clock = new ManualClock();
    registry = new Registry();
    queue = createWorkQueue({ name: "claws", clock, registry });
  });

  /** Takes all that is due now, leaving it locked. */
  async function take(count = queue.depth): Promise<(string | undefined)[]> {
    return Promise.all(Array.from({ length: count }, () => queue.get()));
  }

  it("holds a key once, in the order of arrival", async () => {
    for (const key of ["a", "b", "a", "c", "b"]) queue.add(key);
    expect(queue.depth).toBe(3);
    expect(await take()).toEqual(["a", "b", "c"]);
  });

  it("gives the higher priority first, and a raised key joins the end of its new row", async () => {
    queue.add("initial", { priority: PRIORITY.initial });
    queue.add("raised", { priority: PRIORITY.initial });
    queue.add("normal");
    queue.add("raised");
    queue.add("normal", { priority: PRIORITY.initial });
    expect(await take()).toEqual(["normal", "raised", "initial"]);
  });

  it("holds a delayed key back until its time, with one timer for all of them", async () => {
    queue.add("late", { afterMs: 300 });
    queue.add("soon", { afterMs: 100 });
    queue.add("later", { afterMs: 900 });
    expect([queue.depth, queue.size, clock.pending]).toEqual([0, 3, 1]);
    await clock.advance(99);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(await take()).toEqual(["soon"]);
    expect(clock.pending).toBe(1);
    await clock.advance(800);
    expect(await take()).toEqual(["late", "later"]);
    expect(clock.pending).toBe(0);
  });

  it("is not put off or brought forward by a clock that is set", async () => {
    queue.add("a", { afterMs: 100 });
    clock.jump(-3_600_000);
    queue.add("b", { afterMs: 200 });
    await clock.advance(100);
    expect(await take()).toEqual(["a"]);
    clock.jump(7_200_000);
    await clock.advance(99);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(await take()).toEqual(["b"]);
  });

  it("keeps the earlier time of a key added twice, whichever came first", async () => {
    queue.add("a", { afterMs: 500 });
    queue.add("a", { afterMs: 100 });
    queue.add("b", { afterMs: 100 });
    queue.add("b", { afterMs: 500 });
    await clock.advance(100);
    expect(await take()).toEqual(["a", "b"]);
    expect(queue.size).toBe(0);
  });

  it("lets an add at once overtake a delayed one", async () => {
    queue.add("a", { afterMs: 500 });
    queue.add("a");
    expect(await take()).toEqual(["a"]);
    expect(clock.pending).toBe(0);
  });

  it("orders a delayed key by when it fell due, not by when it was added", async () => {
    queue.add("delayed", { afterMs: 10 });
    queue.add("first");
    await clock.advance(10);
    queue.add("last");
    expect(await take()).toEqual(["first", "delayed", "last"]);
  });

  it("never hands a key out while it is worked on, and loses no add meanwhile", async () => {
    queue.add("a");
    expect(await queue.get()).toBe("a");
    queue.add("a");
    queue.add("b");
    expect(await queue.get()).toBe("b");
    let second: string | undefined;
    const waiting = queue.get().then((key) => {
      second = key;
    });
    await clock.advance(1000);
    expect(second).toBeUndefined();
    queue.done("a");
    await waiting;
    expect(second).toBe("a");
  });

  it("keeps a delayed add made while the key is worked on for its time", async () => {
    queue.add("a");
    await queue.get();
    queue.add("a", { afterMs: 100 });
    await clock.advance(50);
    queue.done("a");
    expect([queue.depth, queue.size]).toEqual([0, 1]);
    await clock.advance(50);
    expect(await take()).toEqual(["a"]);
  });

  it("wakes waiting workers in the order they came, one key each", async () => {
    const keys = Promise.all([queue.get(), queue.get()]);
    queue.add("a");
    queue.add("b");
    queue.add("c");
    expect(await keys).toEqual(["a", "b"]);
    expect(queue.depth).toBe(1);
  });

  it("backs off 5 ms doubled up to 1,000 s, and from 5 ms again once forgotten", () => {
    const backoffs = Array.from({ length: 20 }, () => queue.retry("a"));
    expect(backoffs.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(backoffs.slice(-3)).toEqual([655_360, 1_000_000, 1_000_000]);
    expect(queue.failures("a")).toBe(20);
    queue.forget("a");
    expect(queue.failures("a")).toBe(0);
    expect(queue.retry("a")).toBe(5);
    expect(queue.retry("b")).toBe(5);
  });

  it("retries with the priority in hand", async () => {
    queue.add("a", { priority: PRIORITY.initial });
    await queue.get();
    expect(queue.priorityInHand("a")).toBe(PRIORITY.initial);
    queue.retry("a");
    queue.done("a");
    await clock.advance(5);
    queue.add("b");
    expect(await take()).toEqual(["b", "a"]);
  });

  it("wakes all getters on shutdown and takes nothing more", async () => {
    const waiting = [queue.get(), queue.get()];
    queue.add("x");
    await waiting[0];
    queue.add("delayed", { afterMs: 10 });
    queue.shutDown();
    expect(await Promise.all(waiting)).toEqual(["x", undefined]);
    queue.done("x");
    queue.add("y");
    expect(await queue.get()).toBeUndefined();
    expect(clock.pending).toBe(0);
  });

  it("lets a getter leave by its signal without taking a key along", async () => {
    const leave = new AbortController();
    const left = queue.get(leave.signal);
    const stays = queue.get();
    leave.abort();
    queue.add("a");
    expect(await left).toBeUndefined();
    expect(await stays).toBe("a");
    expect(await queue.get(leave.signal)).toBeUndefined();
  });

  it("refuses to end work that nobody does, and delays that are no number", () => {
    expect(() => queue.done("a")).toThrow("a is not being worked on");
    expect(() => queue.add("a", { afterMs: Number.NaN })).toThrow(TypeError);
    expect(queue.size).toBe(0);
  });

  it("exports the workqueue metrics from the start and keeps them true", async () => {
    const zero = await registry.metrics();
    expect(zero).toContain('workqueue_adds_total{name="claws",controller="claws"} 0');
    expect(zero).toContain('workqueue_retries_total{name="claws",controller="claws"} 0');
    expect(zero).toContain('workqueue_depth{name="claws",controller="claws",priority="0"} 0');
    expect(zero).toContain('workqueue_queue_duration_seconds_count{name="claws",controller="claws"} 0');
    expect(zero).toContain('le="1e-8"');
    queue.add("a");
    queue.add("a");
    queue.add("b", { priority: -100 });
    queue.add("c", { afterMs: 1 });
    await clock.advance(2000);
    await queue.get();
    await clock.advance(3000);
    const busy = await registry.metrics();
    expect(busy).toContain('workqueue_adds_total{name="claws",controller="claws"} 3');
    expect(busy).toContain('workqueue_depth{name="claws",controller="claws",priority="0"} 1');
    expect(busy).toContain('workqueue_depth{name="claws",controller="claws",priority="-100"} 1');
    expect(busy).toContain('workqueue_queue_duration_seconds_sum{name="claws",controller="claws"} 2');
    expect(busy).toContain('workqueue_unfinished_work_seconds{name="claws",controller="claws"} 3');
    expect(busy).toContain('workqueue_longest_running_processor_seconds{name="claws",controller="claws"} 3');
    queue.retry("a");
    queue.done("a");
    const after = await registry.metrics();
    expect(after).toContain('workqueue_work_duration_seconds_sum{name="claws",controller="claws"} 3');
    expect(after).toContain('workqueue_longest_running_processor_seconds{name="claws",controller="claws"} 0');
    expect(after).toContain('workqueue_retries_total{name="claws",controller="claws"} 1');
  });

  it("shares a registry with other queues", async () => {
    createWorkQueue({ name: "classes", clock, registry }).add("x");
    const text = await registry.metrics();
    expect(text).toContain('workqueue_depth{name="classes",controller="classes",priority="0"} 1');
    expect(text).toContain('workqueue_depth{name="claws",controller="claws",priority="0"} 0');
  });
});
