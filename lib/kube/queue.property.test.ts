import fc from "fast-check";
import { expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createWorkQueue } from "./queue.ts";

/** The queue as one would write it without caring for speed: the oracle. */
class PlainQueue {
  readonly inside = new Map<string, { priority: number; readyAt: number; order: number; due: boolean }>();
  readonly locked = new Set<string>();
  #order = 0;

  add(key: string, priority: number, readyAt: number, now: number): void {
    const item = this.inside.get(key) ?? { priority, readyAt, order: 0, due: false };
    this.inside.set(key, item);
    if (priority > item.priority) item.order = ++this.#order;
    item.priority = Math.max(item.priority, priority);
    item.readyAt = Math.min(item.readyAt, readyAt);
    if (!item.due && item.readyAt <= now) this.fallDue(key);
  }

  fallDue(key: string): void {
    const item = this.inside.get(key);
    if (!item) return;
    item.due = true;
    item.order = ++this.#order;
  }

  next(): string | undefined {
    return [...this.inside]
      .filter(([key, item]) => item.due && !this.locked.has(key))
      .sort(([, a], [, b]) => b.priority - a.priority || a.order - b.order)[0]?.[0];
  }

  take(key: string): void {
    this.inside.delete(key);
    this.locked.add(key);
  }

  /** Moves time; what is not locked falls due in the order of its time, what is locked once it is done. */
  tick(now: number): void {
    [...this.inside]
      .filter(([key, item]) => !item.due && item.readyAt <= now && !this.locked.has(key))
      .sort(([, a], [, b]) => a.readyAt - b.readyAt)
      .forEach(([key]) => {
        this.fallDue(key);
      });
  }
}

const key = fc.constantFrom("a", "b", "c", "d", "e");
const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant("add" as const), key, priority: fc.constantFrom(-100, 0, 0, 5) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant("delay" as const),
      key,
      priority: fc.constantFrom(-100, 0, 5),
      // Distinct by the index of the step, so that no two keys fall due at the same instant in an order nobody promises.
      afterMs: fc.integer({ min: 1, max: 40 }).map((n) => n * 100),
    }),
  },
  { weight: 4, arbitrary: fc.record({ op: fc.constant("get" as const) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant("done" as const), pick: fc.nat(4) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant("advance" as const), ms: fc.integer({ min: 1, max: 2500 }) }) },
  // The plain queue knows nothing of it: a clock that is set must change nothing.
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant("jump" as const), ms: fc.integer({ min: -3_600_000, max: 3_600_000 }) }),
  },
);

/** Does each step to both queues and compares what they say. */
class Pair {
  readonly clock = new ManualClock(0);
  readonly queue = createWorkQueue({ name: "q", clock: this.clock });
  readonly plain = new PlainQueue();

  add(key: string, priority: number, afterMs: number): void {
    const now = this.clock.monotonic();
    this.queue.add(key, { priority, afterMs });
    this.plain.add(key, priority, now + afterMs, now);
  }

  /** Takes a key from both; false when none is due. */
  async take(): Promise<boolean> {
    const expected = this.plain.next();
    const due = [...this.plain.inside.values()].filter((item) => item.due).length;
    expect(this.queue.depth).toBe(due);
    if (expected === undefined) return false;
    expect(this.plain.locked.has(expected)).toBe(false);
    expect(await this.queue.get()).toBe(expected);
    this.plain.take(expected);
    return true;
  }

  done(pick: number): void {
    const held = [...this.plain.locked][pick];
    if (held === undefined) return;
    this.queue.done(held);
    this.plain.locked.delete(held);
    this.plain.tick(this.clock.monotonic());
  }

  async advance(ms: number): Promise<void> {
    await this.clock.advance(ms);
    this.plain.tick(this.clock.monotonic());
  }
}

it("agrees with the plain queue on every step and in the end hands out every key that was added", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 80 }), async (operations) => {
      const pair = new Pair();
      for (const [index, step] of operations.entries()) {
        if (step.op === "add") pair.add(step.key, step.priority, 0);
        else if (step.op === "delay") pair.add(step.key, step.priority, step.afterMs + index);
        else if (step.op === "get") await pair.take();
        else if (step.op === "done") pair.done(step.pick);
        else if (step.op === "jump") pair.clock.jump(step.ms);
        else await pair.advance(step.ms);
        expect(pair.queue.size).toBe(pair.plain.inside.size);
      }
      while (pair.plain.locked.size) pair.done(0);
      await pair.advance(10_000);
      while (await pair.take()) pair.done(0);
      expect([pair.plain.inside.size, pair.queue.size, pair.clock.pending]).toEqual([0, 0, 0]);
    }),
    { numRuns: 300 },
  );
});

it("keeps workers apart and serves every add that comes after the last look at its key", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ key, afterMs: fc.nat(50), workMs: fc.nat(30), gapMs: fc.nat(20) }), { maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      async (adds, workers) => {
        const clock = new ManualClock(0);
        const queue = createWorkQueue({ name: "q", clock });
        const wanted = new Map<string, number>();
        const seen = new Map<string, number>();
        const held = new Set<string>();
        const workMs = new Map<string, number>();
        const work = async () => {
          for (let taken = await queue.get(); taken !== undefined; taken = await queue.get()) {
            expect(held.has(taken)).toBe(false);
            held.add(taken);
            seen.set(taken, wanted.get(taken) ?? 0);
            const pause = workMs.get(taken) ?? 0;
            await new Promise<void>((resolve) => void clock.setTimer(resolve, pause));
            held.delete(taken);
            queue.done(taken);
          }
        };
        const running = Promise.all(Array.from({ length: workers }, work));
        for (const add of adds) {
          wanted.set(add.key, (wanted.get(add.key) ?? 0) + 1);
          workMs.set(add.key, add.workMs);
          queue.add(add.key, { afterMs: add.afterMs });
          if (add.gapMs) await clock.advance(add.gapMs);
        }
        await clock.advance(10_000);
        queue.shutDown();
        await running;
        expect(seen).toEqual(wanted);
        expect(held.size).toBe(0);
      },
    ),
    { numRuns: 150 },
  );
});
