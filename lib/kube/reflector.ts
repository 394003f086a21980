import { type Clock, sleep } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { createBackoff } from "./backoff.ts";
import type { Selection } from "./calls.ts";
import type { KubeClient } from "./client.ts";
import { CLIENT_REASON, isExpired, isTooLargeResourceVersion, KubeError, WatchStreamError } from "./errors.ts";
import { createLister } from "./lister.ts";
import { compareVersions } from "./resource-version.ts";
import type { KubeObject, ResourceType, WatchEvent } from "./types.ts";

/** Where a reflector puts what it learns. A throw in any of these ends the reflector with that error. */
export interface ReflectorSink<T extends KubeObject> {
  /** A full list. `reset` = it may be older than what came before (a server restored from a backup). */
  replaced(items: T[], resourceVersion: string, o: { reset: boolean }): void;
  /** One event of the watch, bookmarks included. */
  changed(event: WatchEvent<T>): void;
  /** A list is about to be asked for, and why; `start` is the first. */
  relisting(reason: string): void;
  /** A watch is about to begin. */
  watching(): void;
  /** A list or watch failed; it is tried again. */
  failed(error: KubeError): void;
}

export interface ReflectorOptions<T extends KubeObject> {
  client: KubeClient;
  type: ResourceType<T>;
  selection: Selection;
  /** Longest silence of a watch in milliseconds; default 150 s. */
  idleMs?: number | undefined;
  sink: ReflectorSink<T>;
  clock: Clock;
  random: () => number;
  log: Logger;
  signal: AbortSignal;
}

/** client-go's numbers. */
const BACKOFF = { firstMs: 800, maxMs: 30_000, resetAfterMs: 120_000 };
const MIN_WATCH_SECONDS = 300;
/** A watch that ends sooner and without an event is a fault of the server, however politely it ends. */
const SHORTEST_WATCH_MS = 1_000;
/** After so many failures in a row to go on from our place, list anew. */
const FAILURES_BEFORE_RELIST = 5;

/**
 * Keeps a sink up to date with the server: lists once, then watches from there, and through any failure of network or server
 * goes on from where it was, or lists anew where that place is lost. Returns when the signal aborts, with nothing left
 * running; throws only what the sink throws (or a bug), never a failure of the server.
 */
export async function runReflector<T extends KubeObject>(o: ReflectorOptions<T>): Promise<void> {
  const { clock, log, random, signal } = o;
  const backoff = createBackoff({ ...BACKOFF, clock, random });
  const lister = createLister(o);
  let relist: string | undefined = "start";
  let failures = 0;
  let sinkFailure: { error: unknown } | undefined;

  /** A handler may throw anything, a KubeError too: that must not pass for a failure of the server. */
  function deliver(step: () => void): void {
    try {
      step();
    } catch (error) {
      sinkFailure = { error };
      throw error;
    }
  }

  async function list(reason: string): Promise<void> {
    deliver(() => o.sink.relisting(reason));
    const { items, resourceVersion, reset } = await lister.list(signal);
    if (signal.aborted) return;
    deliver(() => o.sink.replaced(items, resourceVersion, { reset }));
    lister.advance(resourceVersion);
    relist = undefined;
    failures = 0;
  }

  async function watch(): Promise<void> {
    deliver(() => o.sink.watching());
    await watchOnce(o, lister.resourceVersion, (event) => {
      assertInOrder(event, lister.resourceVersion);
      deliver(() => o.sink.changed(event));
      lister.advance(event.object.metadata.resourceVersion);
      failures = 0;
    });
  }

  while (!signal.aborted) {
    try {
      if (relist !== undefined) await list(relist);
      if (!signal.aborted) await watch();
    } catch (error) {
      if (sinkFailure) throw sinkFailure.error;
      if (signal.aborted) return;
      if (!(error instanceof KubeError)) throw error;
      failures += 1;
      deliver(() => o.sink.failed(error));
      relist ??= whyRelist(error, failures);
      if (isExpired(error)) lister.lost();
      const waitMs = Math.max(backoff.next(), error.retryAfterMs ?? 0);
      log.warn(
        { err: error, resource: o.type.plural, namespace: o.selection.namespace, relist, waitMs: Math.round(waitMs) },
        "list or watch failed",
      );
      await sleep(clock, waitMs, signal);
    }
  }
}

/** One watch, from a resourceVersion until the server ends it. */
async function watchOnce<T extends KubeObject>(
  o: ReflectorOptions<T>,
  resourceVersion: string,
  onEvent: (event: WatchEvent<T>) => void,
): Promise<void> {
  const { clock, signal } = o;
  const begun = clock.monotonic();
  let events = 0;
  // Random, or all watches of all clients would begin anew at the same moment for ever.
  const timeoutSeconds = Math.floor(MIN_WATCH_SECONDS * (1 + o.random()));
  const options = { ...o.selection, resourceVersion, timeoutSeconds, idleMs: o.idleMs, signal };
  for await (const event of o.client.watch(o.type, options)) {
    if (signal.aborted) return;
    onEvent(event);
    events += 1;
  }
  if (signal.aborted || events > 0 || clock.monotonic() - begun >= SHORTEST_WATCH_MS) return;
  throw new KubeError("the watch ended at once", { status: 0, reason: CLIENT_REASON.shortWatch });
}

/**
 * The server keeps the order, so somebody in between does not: an old state that comes after the deletion would be taken for
 * an object that is there.
 */
function assertInOrder(event: WatchEvent, seen: string): void {
  const { resourceVersion } = event.object.metadata;
  if (compareVersions(resourceVersion, seen) >= 0) return;
  const message = `the watch went back from ${seen} to ${resourceVersion}`;
  throw new KubeError(message, { status: 0, reason: CLIENT_REASON.malformed });
}

/** Why we cannot go on from our resourceVersion; undefined when we can. */
function whyRelist(error: KubeError, failures: number): string | undefined {
  if (isExpired(error)) return "expired";
  if (isTooLargeResourceVersion(error)) return "too_large_resource_version";
  if (error instanceof WatchStreamError) return "watch_error";
  if (error.reason === CLIENT_REASON.malformed) return "malformed_event";
  return failures >= FAILURES_BEFORE_RELIST ? "failures" : undefined;
}
