import { aborted } from "#lib/aborted.ts";
import { type Clock, sleep } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { OpsServer } from "#lib/ops-server.ts";
import type { CopyState } from "./informer.ts";
import { type LeaseOptions, runWithLease } from "./lease.ts";

/** Time for all first lists; longer means that a right is missing or the apiserver is down: better to exit and say so. */
const SYNC_TIMEOUT_MS = 120_000;
/** Time for the last events to be written. */
const FLUSH_TIMEOUT_MS = 5_000;

/** A cache the manager runs; every `Informer` is one. */
export interface ManagedInformer {
  readonly copies: readonly Pick<CopyState, "name" | "hasSynced" | "lastError">[];
  run(signal: AbortSignal): Promise<void>;
  synced(signal?: AbortSignal): Promise<void>;
}

/** Work that only the leader does; every `Controller` is such. `abandon` aborts when not even a grace is left. */
export interface ManagedController {
  run(signal: AbortSignal, abandon?: AbortSignal): Promise<void>;
}

/** What a manager runs; durations in milliseconds. */
export interface ManagerOptions {
  informers: readonly ManagedInformer[];
  controllers: readonly ManagedController[];
  /** Without one, the controllers start as soon as the caches are synced. */
  lease?: Omit<LeaseOptions, "onStarted" | "signal">;
  opsServer: OpsServer;
  /** Flushed when all work has ended. */
  events?: { flush(signal?: AbortSignal): Promise<void> };
  /** Closed after the events are flushed. */
  client?: { close(): Promise<void> };
  log: Logger;
  clock: Clock;
  signal: AbortSignal;
  /** Default 2 minutes. */
  syncTimeoutMs?: number;
}

/**
 * Starts, in order: ops server, informers, readiness once all are synced, lease, controllers; a standby keeps its caches warm.
 * On the signal, or when any part fails, stops in reverse: unready, controllers, lease, informers, events, client, ops
 * server. Resolves after a stop that was asked for.
 * @throws Error when the caches do not sync in time, the lease is lost, or a part fails.
 */
export async function runManager(o: ManagerOptions): Promise<void> {
  const failure = new AbortController();
  const stop = AbortSignal.any([o.signal, failure.signal]);
  const unready = () => o.opsServer.setReady(false);
  stop.addEventListener("abort", unready, { once: true });
  await o.opsServer.listen();
  try {
    await runCaches(o, stop, failure);
  } finally {
    await o.opsServer.close();
  }
  failure.signal.throwIfAborted();
}

async function runCaches(o: ManagerOptions, stop: AbortSignal, failure: AbortController): Promise<void> {
  const informersEnd = new AbortController();
  const running = Promise.all(o.informers.map((informer) => own(informer.run(informersEnd.signal), failure, o.log)));
  try {
    await own(allSynced(o, stop), failure, o.log);
    if (!stop.aborted) {
      o.opsServer.setReady(true);
      await own(leadAndWork(o, stop, failure), failure, o.log);
    }
  } finally {
    o.opsServer.setReady(false);
    informersEnd.abort(new Error("the manager stops"));
    await running;
    await settle(o, "flush the events", async () => {
      const limit = new AbortController();
      const cancel = o.clock.setTimer(() => limit.abort(), FLUSH_TIMEOUT_MS);
      await o.events?.flush(limit.signal);
      cancel();
    });
    await settle(o, "close the client", async () => o.client?.close());
  }
}

/** The first failure of any part stops all the others and is what the manager throws. */
async function own(part: Promise<void>, failure: AbortController, log: Logger): Promise<void> {
  try {
    await part;
  } catch (error) {
    log.error({ err: error }, "a part failed; stopping");
    failure.abort(error);
  }
}

async function allSynced(o: ManagerOptions, stop: AbortSignal): Promise<void> {
  const { syncTimeoutMs = SYNC_TIMEOUT_MS } = o;
  const done = new AbortController();
  const either = AbortSignal.any([stop, done.signal]);
  const late = sleep(o.clock, syncTimeoutMs, either).then(() => {
    if (either.aborted) return;
    const missing = o.informers.flatMap(({ copies }) => copies).filter(({ hasSynced }) => !hasSynced);
    const lines = missing.map(({ name, lastError }) => (lastError ? `${name} (${lastError.message})` : name));
    throw new Error(`caches not synced after ${syncTimeoutMs} ms: ${lines.join(", ")}`);
  });
  try {
    await Promise.race([Promise.all(o.informers.map((informer) => informer.synced(either))), late]);
  } catch (error) {
    // A stop rejects the waiters; that is no failure of theirs.
    if (!stop.aborted) throw error;
  } finally {
    done.abort();
  }
}

async function leadAndWork(o: ManagerOptions, stop: AbortSignal, failure: AbortController): Promise<void> {
  const work = async (lost?: AbortSignal) => {
    const end = lost ? AbortSignal.any([stop, lost]) : stop;
    await Promise.all(o.controllers.map((controller) => own(controller.run(end, lost), failure, o.log)));
    // A process without controllers (caches only) lives until it is told to stop.
    await aborted(end);
  };
  if (!o.lease) return work();
  const lease = { ...o.lease, signal: stop, onStarted: work };
  if ((await runWithLease(lease)) === "lost") throw new Error(`lost the lease ${lease.namespace}/${lease.name}`);
}

/** A step of the stop: its failure is logged and must not keep the rest from being done. */
async function settle(o: ManagerOptions, what: string, step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (error) {
    o.log.warn({ err: error }, `could not ${what}`);
  }
}
