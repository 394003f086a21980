import { Registry } from "prom-client";
import type { Clock } from "#lib/clock.ts";
import { Heap } from "./heap.ts";
import { observeQueue } from "./queue-metrics.ts";

/** Back-off of a key that failed n times in a row: 5 ms doubled n times, at most 1,000 s. */
const BACKOFF_BASE_MS = 5;
const BACKOFF_MAX_MS = 1_000_000;

/** How urgent a key is; keys of equal priority come out in the order in which they became due. */
export const PRIORITY = {
  /** Something changed. */
  normal: 0,
  /** The first list and resyncs: nothing new is known, so whatever changed goes first. */
  initial: -100,
} as const;

/**
 * A queue of keys that holds each key once and never hands a key to two workers at a time. Every method is
 * synchronous, which is all the locking it needs.
 */
export interface WorkQueue {
  /**
   * Adds a key, due after `afterMs` (default 0). A key that is already inside keeps the higher priority and the
   * earlier time; a key being worked on comes out again once it is done. Ignored after `shutDown`.
   */
  add(key: string, o?: { priority?: number; afterMs?: number }): void;
  /** The next key, to be given back with `done`; undefined once the queue is shut down or the signal aborts. */
  get(signal?: AbortSignal): Promise<string | undefined>;
  /** Ends the work on a key that `get` handed out. @throws TypeError for any other key. */
  done(key: string): void;
  /**
   * Adds a key after its back-off, which doubles with each retry, or after `atLeastMs` where that is longer, and answers the
   * time in milliseconds; keeps the priority in hand.
   */
  retry(key: string, o?: { priority?: number; atLeastMs?: number | undefined }): number;
  /** Resets the back-off of a key. */
  forget(key: string): void;
  /** How often a key was retried since it was last forgotten. */
  failures(key: string): number;
  /** The priority with which a key being worked on was handed out. */
  priorityInHand(key: string): number | undefined;
  /** Keys that are due and not handed out. */
  readonly depth: number;
  /** Keys inside in all: due and delayed. */
  readonly size: number;
  /** Hands out nothing more: wakes all getters with undefined. */
  shutDown(): void;
}

interface Item {
  readonly key: string;
  priority: number;
  readyAt: number;
  /** Order among equals: given when the item falls due, and anew when its priority is raised. */
  seq: number;
  /** When it fell due; undefined while it is delayed. */
  dueAt: number | undefined;
}

interface Work {
  readonly since: number;
  readonly priority: number;
}

/** An empty queue; `name` labels its `workqueue_*` metrics. */
export function createWorkQueue(o: { name: string; clock: Clock; registry?: Registry }): WorkQueue {
  return new KeyedQueue(o.name, o.clock, o.registry ?? new Registry());
}

class KeyedQueue implements WorkQueue {
  readonly #clock: Clock;
  readonly #metrics: ReturnType<typeof observeQueue>;
  /** Every key inside. Those that are locked are in neither heap until their work is done. */
  readonly #items = new Map<string, Item>();
  readonly #ready = new Heap<Item>((a, b) => a.priority > b.priority || (a.priority === b.priority && a.seq < b.seq));
  readonly #waiting = new Heap<Item>((a, b) => a.readyAt < b.readyAt);
  readonly #locked = new Map<string, Work>();
  readonly #failures = new Map<string, number>();
  readonly #getters = new Set<(key: string | undefined) => void>();
  #timer: { at: number; cancel: () => void } | undefined;
  #seq = 0;
  #stopped = false;

  constructor(name: string, clock: Clock, registry: Registry) {
    this.#clock = clock;
    this.#metrics = observeQueue(registry, {
      name,
      now: () => clock.monotonic(),
      duePriorities: () => this.#due().map((item) => item.priority),
      workingSince: () => [...this.#locked.values()].map((work) => work.since),
    });
  }

  get depth(): number {
    return this.#due().length;
  }

  get size(): number {
    return this.#items.size;
  }

  add(key: string, o: { priority?: number; afterMs?: number } = {}): void {
    const { priority = PRIORITY.normal, afterMs = 0 } = o;
    if (Number.isNaN(afterMs) || Number.isNaN(priority))
      throw new TypeError(`${key}: delay or priority is not a number`);
    if (this.#stopped) return;
    const readyAt = this.#clock.monotonic() + Math.max(0, afterMs);
    const item = this.#items.get(key) ?? { key, priority, readyAt, seq: 0, dueAt: undefined };
    this.#items.set(key, item);
    this.#ready.remove(item);
    this.#waiting.remove(item);
    item.readyAt = Math.min(item.readyAt, readyAt);
    if (priority > item.priority) {
      item.priority = priority;
      item.seq = ++this.#seq;
    }
    this.#place(item);
  }

  get(signal?: AbortSignal): Promise<string | undefined> {
    if (this.#stopped || signal?.aborted) return Promise.resolve(undefined);
    const next = this.#handOut();
    if (next !== undefined) return Promise.resolve(next);
    return new Promise((resolve) => {
      const getter = (key: string | undefined) => {
        this.#getters.delete(getter);
        signal?.removeEventListener("abort", leave);
        resolve(key);
      };
      const leave = () => getter(undefined);
      signal?.addEventListener("abort", leave, { once: true });
      this.#getters.add(getter);
    });
  }

  done(key: string): void {
    const work = this.#locked.get(key);
    if (!work) throw new TypeError(`${key} is not being worked on`);
    this.#locked.delete(key);
    this.#metrics.worked(this.#clock.monotonic() - work.since);
    const again = this.#items.get(key);
    if (again && !this.#stopped) this.#place(again);
  }

  retry(key: string, o: { priority?: number; atLeastMs?: number | undefined } = {}): number {
    const failures = this.failures(key);
    const backoffMs = Math.min(BACKOFF_BASE_MS * 2 ** failures, BACKOFF_MAX_MS);
    const afterMs = Math.max(backoffMs, o.atLeastMs ?? 0);
    this.#failures.set(key, failures + 1);
    this.#metrics.retried();
    this.add(key, { priority: o.priority ?? this.priorityInHand(key) ?? PRIORITY.normal, afterMs });
    return afterMs;
  }

  forget(key: string): void {
    this.#failures.delete(key);
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0;
  }

  priorityInHand(key: string): number | undefined {
    return this.#locked.get(key)?.priority;
  }

  shutDown(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const getter of this.#getters) getter(undefined);
  }

  #due(): Item[] {
    return [...this.#items.values()].filter((item) => item.dueAt !== undefined);
  }

  /** Files an item that is in no heap; one being worked on stays out of both until `done`. */
  #place(item: Item): void {
    const now = this.#clock.monotonic();
    if (item.dueAt === undefined && item.readyAt <= now) {
      item.dueAt = now;
      item.seq = ++this.#seq;
      this.#metrics.added();
    }
    if (this.#locked.has(item.key)) return;
    if (item.dueAt === undefined) this.#waiting.push(item);
    else this.#ready.push(item);
    this.#wakeGetters();
    this.#armTimer();
  }

  #wakeGetters(): void {
    for (const getter of this.#getters) {
      const key = this.#handOut();
      if (key === undefined) return;
      getter(key);
    }
  }

  #handOut(): string | undefined {
    const item = this.#ready.pop();
    if (!item) return undefined;
    const now = this.#clock.monotonic();
    this.#items.delete(item.key);
    this.#locked.set(item.key, { since: now, priority: item.priority });
    this.#metrics.handedOut(now - (item.dueAt ?? now));
    return item.key;
  }

  /** One timer serves all delayed keys: it always points at the earliest. */
  #armTimer(): void {
    const next = this.#waiting.peek()?.readyAt;
    if (next === this.#timer?.at) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (next === undefined) return;
    const cancel = this.#clock.setTimer(() => this.#onTimer(), next - this.#clock.monotonic());
    this.#timer = { at: next, cancel };
  }

  #onTimer(): void {
    this.#timer = undefined;
    const now = this.#clock.monotonic();
    for (let item = this.#waiting.peek(); item && item.readyAt <= now; item = this.#waiting.peek()) {
      this.#waiting.remove(item);
      this.#place(item);
    }
    this.#armTimer();
  }
}
