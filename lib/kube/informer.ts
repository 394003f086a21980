import { Registry } from "prom-client";
import { type Clock, systemClock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { KubeClient } from "./client.ts";
import { observeInformer } from "./informer-metrics.ts";
import { type ReflectorSink, runReflector } from "./reflector.ts";
import { compareVersions } from "./resource-version.ts";
import { type Change, createStore } from "./store.ts";
import type { KubeObject, ResourceType } from "./types.ts";

export type { Change } from "./store.ts";

/** How one copy stands with the apiserver. */
export interface CopyState {
  /** The kind, and the namespace where it is of one, e.g. `secrets in team-a`. */
  readonly name: string;
  /** True once the first list is in and its handlers ran. */
  readonly hasSynced: boolean;
  /** Milliseconds since the server last confirmed this copy (list, event or bookmark); Infinity before the first list. */
  lastSyncAgeMs(): number;
  /** What a list or watch failed of since the server last confirmed the copy. */
  readonly lastError: Error | undefined;
}

/** A live copy of one kind's objects. Objects in it are shared: never change them. */
export interface Informer<T extends KubeObject = KubeObject> {
  readonly type: ResourceType<T>;
  get(key: string): T | undefined;
  list(): T[];
  /** Objects whose index function gave `value`. Throws for an index that was never declared. */
  byIndex(index: string, value: string): T[];
  /** True once the first list is in and its handlers ran. */
  readonly hasSynced: boolean;
  /** How it stands with the apiserver: one state, or where it was put together of several informers one of each. */
  readonly copies: readonly CopyState[];
  /** Resolves when synced; rejects if the informer ends before, or with the signal's reason. */
  synced(signal?: AbortSignal): Promise<void>;
  /** Milliseconds since the server last confirmed this copy (list, event or bookmark); Infinity before the first list. */
  lastSyncAgeMs(): number;
  /** Calls `handler` for each change from now on; a throw in it ends `run` with that error. The result unsubscribes. */
  onChange(handler: (change: Change<T>) => void): () => void;
  /**
   * Takes the answer to a write of our own into the copy at once, so that the next read is not older than our write.
   * Ignored where the watch is ahead of it already.
   */
  assume(object: T): void;
  /** Keeps the copy up to date until the signal aborts; rejects only if a handler throws. Once per informer. */
  run(signal: AbortSignal): Promise<void>;
}

export interface InformerOptions<T extends KubeObject> {
  client: KubeClient;
  type: ResourceType<T>;
  namespace?: string | undefined;
  labelSelector?: string | undefined;
  fieldSelector?: string | undefined;
  indexes?: Record<string, (object: T) => string[]> | undefined;
  /** Cuts an object down to what is read; may change it and its metadata, but no part of them. */
  transform?: ((object: T) => T) | undefined;
  /** Longest silence of a watch in milliseconds before it is given up as dead; default 150 s. */
  idleMs?: number | undefined;
  log: Logger;
  registry?: Registry | undefined;
  clock?: Clock | undefined;
  random?: (() => number) | undefined;
}

/** A cache of one kind that lists once and then watches. */
export function createInformer<T extends KubeObject>(o: InformerOptions<T>): Informer<T> {
  const { client, type, namespace, labelSelector, fieldSelector, log } = o;
  const clock = o.clock ?? systemClock;
  const { transform = (object: T) => object } = o;
  const store = createStore<T>({ indexes: o.indexes, transform });
  const handlers = new Set<(change: Change<T>) => void>();
  const synced = Promise.withResolvers<void>();
  // `run` itself reports why it ended; this promise is only for those who wait.
  synced.promise.catch(() => undefined);
  const stop = new AbortController();
  let state: "new" | "running" | "ended" = "new";
  let hasSynced = false;
  let failure: { error: unknown } | undefined;
  let seen: string | undefined;
  let confirmedAt = Number.NEGATIVE_INFINITY;
  let lastError: Error | undefined;
  const lastSyncAgeMs = () => clock.monotonic() - confirmedAt;
  const observer = observeInformer(o.registry ?? new Registry(), {
    resource: type.group === "" ? type.plural : `${type.plural}.${type.group}`,
    size: () => store.size,
    lastSyncAgeMs,
  });

  function notify(changes: Change<T>[]): void {
    for (const change of changes) for (const handler of handlers) handler(change);
  }

  function confirm(resourceVersion: string | undefined): void {
    confirmedAt = clock.monotonic();
    lastError = undefined;
    seen = resourceVersion ?? seen;
  }

  const sink: ReflectorSink<T> = {
    relisting: (reason) => observer.relisted(reason),
    watching: () => observer.watched(),
    failed(error) {
      lastError = error;
    },
    replaced(items, resourceVersion, { reset }) {
      confirm(resourceVersion);
      notify(store.replace(items, resourceVersion, { reset }));
      hasSynced = true;
      synced.resolve();
    },
    changed(event) {
      confirm(event.object.metadata.resourceVersion);
      if (event.type === "BOOKMARK") return;
      notify(event.type === "DELETED" ? store.remove(event.object) : store.put(event.object));
    },
  };

  const copy: CopyState = {
    name: namespace === undefined ? type.plural : `${type.plural} in ${namespace}`,
    get hasSynced() {
      return hasSynced;
    },
    lastSyncAgeMs,
    get lastError() {
      return lastError;
    },
  };

  return {
    type,
    get: (key) => store.get(key),
    list: () => store.list(),
    byIndex: (index, value) => store.byIndex(index, value),
    get hasSynced() {
      return hasSynced;
    },
    copies: [copy],
    synced: (signal) => (signal ? orAborted(synced.promise, signal) : synced.promise),
    lastSyncAgeMs,
    onChange(handler) {
      handlers.add(handler);
      return () => handlers.delete(handler);
    },
    assume(object) {
      if (compareVersions(object.metadata.resourceVersion, seen) <= 0) return;
      // The caller keeps the object it was answered, whole: what is changed on the way in is a copy.
      const changes = store.assume({ ...object, metadata: { ...object.metadata } });
      try {
        notify(changes);
      } catch (error) {
        failure = { error };
        stop.abort();
        throw error;
      }
    },
    async run(signal) {
      if (state !== "new") throw new Error(`the informer of ${type.plural} runs only once`);
      state = "running";
      const abort = () => stop.abort();
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort, { once: true });
      const selection = { namespace, labelSelector, fieldSelector };
      const random = o.random ?? Math.random;
      try {
        await runReflector({
          client,
          type,
          selection,
          idleMs: o.idleMs,
          sink,
          clock,
          random,
          log,
          signal: stop.signal,
        });
        if (failure) throw failure.error;
      } finally {
        state = "ended";
        signal.removeEventListener("abort", abort);
        observer.removed();
        synced.reject(new Error(`the informer of ${type.plural} ended before its first list`));
      }
    },
  };
}

function orAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
