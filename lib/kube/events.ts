import { randomBytes } from "node:crypto";
import type { Registry } from "prom-client";
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { KubeClient } from "./client.ts";
import { isAlreadyExists, isNotFound, KubeError } from "./errors.ts";
import { buildEvent, type EventInput, type EventSource } from "./event-body.ts";
import { EventBudget } from "./event-budget.ts";
import { microTime } from "./micro-time.ts";
import { createWorkQueue, type WorkQueue } from "./queue.ts";
import { EVENTS, type Event } from "./resource.ts";
import type { KubeObject } from "./types.ts";

/** The second occurrence is written at once, further ones together after this pause. */
const SERIES_PAUSE_MS = 60_000;
/** What did not happen again for so long starts a new event when it does (as with client-go). */
const SERIES_END_MS = 12 * 60_000;
const SWEEP_MS = 60_000;
const ATTEMPTS = 5;
const RETRY_BASE_MS = 1_000;

export type { EventInput } from "./event-body.ts";

/** Tells the world what happened to an object, as Events that `kubectl describe` shows. */
export interface EventRecorder {
  /** Takes note and returns; what cannot be written is logged and never fails the caller. */
  record(regarding: KubeObject, event: EventInput): void;
  /** Resolves when all that was recorded is written or given up, or the signal aborts. */
  flush(signal?: AbortSignal): Promise<void>;
}

/** Options of an event recorder. */
export interface EventRecorderOptions extends EventSource {
  client: KubeClient;
  clock: Clock;
  log: Logger;
  registry?: Registry;
  /** Makes the unique part of an event's name (lower-case hex); default random. */
  newId?: () => string;
}

/**
 * A recorder of `events.k8s.io/v1`. The same thing said again of the same object becomes a series on the first event;
 * at most 25 writes per object in 5 minutes; with nothing recorded, nothing is sent.
 */
export function createEventRecorder(o: EventRecorderOptions): EventRecorder {
  return new Recorder(o);
}

/** One event and how often it happened. */
interface Series {
  readonly regarding: KubeObject;
  readonly object: string;
  event: Event;
  count: number;
  /** The last occurrence, for people (epoch milliseconds). */
  lastSeen: number;
  /** The last occurrence and the last write, by the clock that is never set. */
  lastAt: number;
  /** The count last written; 0 = the event is not there yet. */
  written: number;
  writtenAt: number;
  attempts: number;
}

class Recorder implements EventRecorder {
  readonly #o: EventRecorderOptions;
  readonly #queue: WorkQueue;
  readonly #series = new Map<string, Series>();
  readonly #budget = new EventBudget();
  readonly #idle = new Set<() => void>();
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(options: EventRecorderOptions) {
    this.#o = options;
    const { clock, registry } = options;
    this.#queue = createWorkQueue({ name: "events", clock, ...(registry && { registry }) });
    // Lives as long as the recorder; it catches whatever a write throws.
    void this.#work();
  }

  record(regarding: KubeObject, event: EventInput): void {
    const { clock } = this.#o;
    const now = clock.monotonic();
    this.#sweep(now);
    const { uid, namespace, name } = regarding.metadata;
    const object = JSON.stringify([regarding.kind, uid ?? [namespace, name]]);
    const key = JSON.stringify([object, event.type, event.reason, event.action, event.note]);
    const known = this.#series.get(key);
    if (known && now - known.lastAt < SERIES_END_MS) {
      known.count++;
      known.lastAt = now;
      known.lastSeen = clock.now();
      const pauseMs = known.written > 1 ? known.writtenAt + SERIES_PAUSE_MS - now : 0;
      this.#queue.add(key, { afterMs: pauseMs });
      return;
    }
    this.#series.set(key, {
      regarding,
      object,
      event: buildEvent(regarding, event, this.#o, clock.now(), this.#newId()),
      count: 1,
      lastSeen: clock.now(),
      lastAt: now,
      written: 0,
      writtenAt: now,
      attempts: 0,
    });
    this.#queue.add(key);
  }

  async flush(signal?: AbortSignal): Promise<void> {
    for (const [key, series] of this.#series) if (series.count > series.written) this.#queue.add(key);
    if (signal?.aborted || !this.#isBusy()) return;
    await new Promise<void>((resolve) => {
      const finish = () => {
        this.#idle.delete(finish);
        signal?.removeEventListener("abort", finish);
        resolve();
      };
      this.#idle.add(finish);
      signal?.addEventListener("abort", finish, { once: true });
    });
  }

  #isBusy(): boolean {
    return [...this.#series.values()].some((series) => series.count > series.written);
  }

  async #work(): Promise<void> {
    for (let key = await this.#queue.get(); key !== undefined; key = await this.#queue.get()) {
      const series = this.#series.get(key);
      if (series && series.count > series.written) await this.#send(key, series);
      this.#queue.done(key);
      if (this.#idle.size > 0 && !this.#isBusy()) for (const finish of this.#idle) finish();
    }
  }

  async #send(key: string, series: Series): Promise<void> {
    const { clock, log } = this.#o;
    const spent = this.#budget.spend(series.object, clock.monotonic());
    if (!spent.ok) {
      log.warn({ regarding: series.event.regarding, reason: series.event.reason }, "too many events of one object");
      // A series can wait, it only counts; new events could pile up without end.
      if (series.written > 0) this.#queue.add(key, { afterMs: spent.freeInMs });
      else this.#series.delete(key);
      return;
    }
    const count = series.count;
    try {
      await this.#write(series);
      series.written = count;
      series.writtenAt = clock.monotonic();
      series.attempts = 0;
    } catch (error) {
      this.#fail(key, series, error);
    }
  }

  async #write(series: Series): Promise<void> {
    const { client } = this.#o;
    const { name, namespace } = series.event.metadata;
    const ref = { name, ...(namespace !== undefined && { namespace }) };
    const times = series.count > 1 && {
      series: { count: series.count, lastObservedTime: microTime(series.lastSeen) },
    };
    if (series.written > 0) {
      try {
        await client.mergePatch(EVENTS, ref, { ...times });
        return;
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      // The apiserver forgets events after an hour or so: the series goes on in a new one.
      series.event = { ...series.event, metadata: { ...series.event.metadata, name: this.#rename(name) } };
    }
    try {
      await client.create(EVENTS, { ...series.event, ...times });
    } catch (error) {
      // The id is ours alone, so an earlier attempt got through without our hearing of it.
      if (!isAlreadyExists(error)) throw error;
    }
  }

  #fail(key: string, series: Series, error: unknown): void {
    const { log } = this.#o;
    const about = { err: error, regarding: series.event.regarding, reason: series.event.reason };
    series.attempts++;
    if (isPassing(error) && series.attempts < ATTEMPTS) {
      log.debug(about, "could not write an event; trying again");
      const backoffMs = RETRY_BASE_MS * 2 ** (series.attempts - 1);
      this.#queue.add(key, { afterMs: Math.max(backoffMs, error.retryAfterMs ?? 0) });
      return;
    }
    log.warn(about, "could not write an event; it is dropped");
    this.#series.delete(key);
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_MS) return;
    this.#sweptAt = now;
    this.#budget.sweep(now);
    for (const [key, series] of this.#series) {
      const over = now - series.lastAt >= SERIES_END_MS && series.written === series.count;
      if (over) this.#series.delete(key);
    }
  }

  #newId(): string {
    return (this.#o.newId ?? randomId)();
  }

  #rename(name: string): string {
    return `${name.slice(0, name.lastIndexOf("."))}.${this.#newId()}`;
  }
}

/** Worth another attempt: no answer, overload, or a fault of the server. */
function isPassing(error: unknown): error is KubeError {
  return error instanceof KubeError && (error.status === 0 || error.status === 429 || error.status >= 500);
}

function randomId(): string {
  return randomBytes(8).toString("hex");
}
