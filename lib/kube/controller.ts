import { randomUUID } from "node:crypto";
import { Registry } from "prom-client";
import { aborted } from "#lib/aborted.ts";
import { type Clock, sleep } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { type ControllerObserver, observeController } from "./controller-metrics.ts";
import { KubeError } from "./errors.ts";
import { createWorkQueue, type WorkQueue } from "./queue.ts";

/** Share by which a requested wake-up is moved, at random, either way: periodic work spreads out by itself. */
const REQUEUE_JITTER = 0.1;
/** Longest time for one reconcile, by default. */
const RECONCILE_TIMEOUT_MS = 60_000;
/** Time that reconciles under way get to end by themselves when the controller stops. */
const STOP_GRACE_MS = 30_000;
/** Time that reconciles get to end once aborted, before the controller gives up on them. */
const ABORT_GRACE_MS = 5_000;

/** Nothing more to do until something changes (of a bad spec, too, there is nothing to try again), or look again after this time (about: +-10 %). */
export type Result = { requeueAfterMs?: number } | undefined;

/** What a reconcile is given beside its key. */
export interface ReconcileContext {
  /** Aborts at the deadline of this reconcile and when the controller must stop at once. */
  readonly signal: AbortSignal;
  /** Carries controller, object (the key) and reconcileId in each line. */
  readonly log: Logger;
  readonly reconcileId: string;
}

/** Workers that take keys from a queue and reconcile them, one worker per key at a time. */
export interface Controller {
  readonly name: string;
  readonly queue: WorkQueue;
  /**
   * Works until `signal` aborts, then hands out no more keys, lets the work under way end (aborting what takes
   * longer than the grace) and resolves. `abandon` aborts the work under way without grace.
   * @throws Error naming the keys whose reconcile did not end even then.
   */
  run(signal: AbortSignal, abandon?: AbortSignal): Promise<void>;
}

/** Options of a controller; durations in milliseconds. */
export interface ControllerOptions {
  name: string;
  /** Brings the thing of this name to its wanted state, whatever woke it. Must heed its signal. */
  reconcile: (key: string, context: ReconcileContext) => Promise<Result>;
  /** How many keys are worked on at the same time. */
  workers: number;
  /** Deadline of one reconcile; default 60 s. */
  timeoutMs?: number;
  /** Default 30 s. */
  stopGraceMs?: number;
  clock: Clock;
  log: Logger;
  registry?: Registry;
  /** In [0, 1); default Math.random. */
  random?: () => number;
  /** Default: random UUIDs. */
  newReconcileId?: () => string;
  /** Default: a queue of its own, under the controller's name. */
  queue?: WorkQueue;
}

/** A controller that has not started; its queue takes keys already. */
export function createController(o: ControllerOptions): Controller {
  const registry = o.registry ?? new Registry();
  return new WorkerPool(
    o,
    o.queue ?? createWorkQueue({ name: o.name, clock: o.clock, registry }),
    observeController(registry, o.name, o.workers),
  );
}

class WorkerPool implements Controller {
  readonly name: string;
  readonly queue: WorkQueue;
  readonly #o: ControllerOptions;
  readonly #metrics: ControllerObserver;
  readonly #working = new Set<string>();
  /** Aborts every reconcile under way. */
  readonly #abort = new AbortController();

  constructor(options: ControllerOptions, queue: WorkQueue, metrics: ControllerObserver) {
    this.name = options.name;
    this.queue = queue;
    this.#o = options;
    this.#metrics = metrics;
  }

  async run(signal: AbortSignal, abandon?: AbortSignal): Promise<void> {
    const ended = Promise.all(Array.from({ length: this.#o.workers }, () => this.#work(signal)));
    const over = new AbortController();
    const stopped = this.#stop(signal, abandon, over.signal);
    // A worker fails only by a fault of its own (a reconcile's errors end up in the queue): that fails the controller.
    try {
      await Promise.race([ended, stopped]);
    } finally {
      over.abort();
    }
    await stopped;
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (;;) {
      const key = await this.queue.get(signal);
      if (key === undefined) return;
      this.#working.add(key);
      this.#metrics.started();
      try {
        await this.#reconcile(key);
      } finally {
        this.#metrics.ended();
        this.#working.delete(key);
        this.queue.done(key);
      }
    }
  }

  /** Settles once all work ended (`over`), or rejects when it will not. */
  async #stop(signal: AbortSignal, abandon: AbortSignal | undefined, over: AbortSignal): Promise<void> {
    const { clock, log, stopGraceMs = STOP_GRACE_MS } = this.#o;
    await aborted(AbortSignal.any([signal, over, ...(abandon ? [abandon] : [])]));
    this.queue.shutDown();
    await sleep(clock, stopGraceMs, abandon ? AbortSignal.any([over, abandon]) : over);
    this.#abort.abort(new Error(`controller ${this.name} stops`));
    if (over.aborted) return;
    log.warn({ controller: this.name, objects: [...this.#working] }, "aborted the reconciles under way");
    await sleep(clock, ABORT_GRACE_MS, over);
    if (over.aborted) return;
    throw new Error(`controller ${this.name}: reconciles do not end: ${[...this.#working].join(", ")}`);
  }

  async #reconcile(key: string): Promise<void> {
    const { clock, timeoutMs = RECONCILE_TIMEOUT_MS, newReconcileId = randomUUID } = this.#o;
    const reconcileId = newReconcileId();
    const log = this.#o.log.child({ controller: this.name, object: key, reconcileId });
    const deadline = new AbortController();
    const cancelDeadline = clock.setTimer(() => {
      this.#metrics.timedOut();
      log.error({ timeoutMs }, "reconcile passed its deadline and was aborted");
      deadline.abort(new Error(`reconcile of ${key} took longer than ${timeoutMs} ms`));
    }, timeoutMs);
    const startedAt = clock.monotonic();
    try {
      const signal = AbortSignal.any([deadline.signal, this.#abort.signal]);
      const result = await this.#o.reconcile(key, { signal, log, reconcileId });
      this.#succeed(key, result);
    } catch (error) {
      this.#fail(key, error, log);
    } finally {
      cancelDeadline();
      this.#metrics.took(clock.monotonic() - startedAt);
    }
  }

  #succeed(key: string, result: Result): void {
    const afterMs = result?.requeueAfterMs;
    if (afterMs === undefined) {
      this.queue.forget(key);
      this.#metrics.result("success");
      return;
    }
    if (!Number.isFinite(afterMs) || afterMs < 0) throw new RangeError(`requeueAfterMs of ${key} is ${afterMs}`);
    this.queue.forget(key);
    this.#metrics.result("requeue_after");
    const { random = Math.random } = this.#o;
    const priority = this.queue.priorityInHand(key);
    this.queue.add(key, {
      afterMs: afterMs * (1 + REQUEUE_JITTER * (2 * random() - 1)),
      ...(priority !== undefined && { priority }),
    });
  }

  #fail(key: string, error: unknown, log: Logger): void {
    if (this.#abort.signal.aborted) {
      log.info({ err: error }, "reconcile cut short by the stop");
      return;
    }
    this.#metrics.result("error");
    this.#metrics.failed();
    if (isBug(error)) this.#metrics.panicked();
    // What the client could not wait out is waited out here: an overloaded apiserver asks for peace.
    const atLeastMs = error instanceof KubeError ? error.retryAfterMs : undefined;
    const retryInMs = this.queue.retry(key, { atLeastMs });
    log.warn({ err: error, retryInMs, failures: this.queue.failures(key) }, "reconcile failed; trying again");
  }
}

/** What Go would have panicked on: faults of the program, not of the world. */
function isBug(error: unknown): boolean {
  return !(error instanceof Error) || [TypeError, ReferenceError, RangeError].some((kind) => error instanceof kind);
}
