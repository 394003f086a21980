import { Gauge, Registry } from "prom-client";
import { type Clock, sleep } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { KubeClient } from "./client.ts";
import type { LeaseHealth } from "./lease-health.ts";
import { LeaseRecord } from "./lease-record.ts";

/** client-go's numbers. */
const DURATION_MS = 15_000;
const RENEW_DEADLINE_MS = 10_000;
const RETRY_MS = 2_000;
/**
 * How late a candidate may see a renewal, in pauses: it looks once in each, and the answer takes a moment. By so much it stops
 * waiting earlier, so that the lead is taken over within the lease's duration and not a pause later.
 */
const SEEN_LATE = 1.5;
/** A candidate that cannot get at the lease says so again after this time. */
const REPORT_AGAIN_MS = 60_000;

/** Options of `runWithLease`; durations in milliseconds. */
export interface LeaseOptions {
  client: KubeClient;
  namespace: string;
  name: string;
  /** Unique to this run of the process, e.g. the pod's name and a random suffix. */
  identity: string;
  clock: Clock;
  log: Logger;
  registry?: Registry;
  /** What only the leader does. `lost` aborts when the lead is gone: then end at once, somebody else may have begun. */
  onStarted: (lost: AbortSignal) => Promise<void>;
  /**
   * Ends the candidature. Once leading, it is for `onStarted` to end its work by the same signal: the lease is renewed
   * until that is through.
   */
  signal: AbortSignal;
  /** Told how each attempt to take the lease went. */
  health?: Pick<LeaseHealth, "attempted">;
  /** How long a silent holder keeps the lease; default 15 s. */
  durationMs?: number;
  /** How long we lead without a successful renewal, less than a candidate waits for one; default 10 s. */
  renewDeadlineMs?: number;
  /** Pause between renewals and between attempts to take the lease; default 2 s. */
  retryMs?: number;
}

/**
 * Waits for the lease, then runs `onStarted` and renews the lease until that ends. Answers "released" after giving the
 * lease up (or never getting it before the signal), "lost" when it could not be kept: the process should exit then.
 * Keeping others out is best effort, as with every lease: a process that was frozen may still finish a request it had sent.
 * @throws TypeError for durations that do not fit each other; whatever `onStarted` throws, after releasing.
 */
export async function runWithLease(o: LeaseOptions): Promise<"lost" | "released"> {
  const { durationMs = DURATION_MS, renewDeadlineMs = RENEW_DEADLINE_MS, retryMs = RETRY_MS } = o;
  const seenLateMs = SEEN_LATE * retryMs;
  if (durationMs - seenLateMs <= renewDeadlineMs || renewDeadlineMs <= retryMs) {
    throw new TypeError(`a lease needs duration - ${SEEN_LATE} x retry > renewDeadline > retry`);
  }
  const log = o.log.child({ lease: `${o.namespace}/${o.name}`, identity: o.identity });
  const status = masterStatus(o.registry ?? new Registry());
  const record = new LeaseRecord({ ...o, durationMs, seenLateMs });
  const term = { ...o, log, record, renewDeadlineMs, retryMs, callMs: renewDeadlineMs / 2 };
  status.set({ name: o.name }, 0);
  try {
    if (!(await acquire(term))) return "released";
    status.set({ name: o.name }, 1);
    log.info("leading");
    return await lead(term);
  } finally {
    status.set({ name: o.name }, 0);
  }
}

/** The options with all defaults filled in, and what belongs to this candidature. */
interface Term extends LeaseOptions {
  record: LeaseRecord;
  renewDeadlineMs: number;
  retryMs: number;
  /** Limit of one call, so that a second one fits before the deadline. */
  callMs: number;
}

/** Tries until the lease is ours; false once the signal aborted. */
async function acquire({ record, signal, clock, log, retryMs, callMs, health }: Term): Promise<boolean> {
  let reported: { line: string; at: number } | undefined;
  const report = (line: string, err?: unknown) => {
    const at = clock.monotonic();
    if (line === reported?.line && (!err || at - reported.at < REPORT_AGAIN_MS)) return;
    log[err ? "warn" : "info"]({ err }, line);
    reported = { line, at };
  };
  while (!signal.aborted) {
    try {
      // Not cut short by the signal: the apiserver might have taken it, and we would leave a lease behind.
      const held = await record.tryHold({ timeoutMs: callMs });
      health?.attempted();
      if (held) return true;
      report(`standing by: ${record.holder ?? "somebody else"} leads`);
    } catch (error) {
      health?.attempted(error);
      report(`cannot get at the lease: ${error instanceof Error ? error.message : String(error)}`, error);
    }
    // Not a moment is lost once the holder's time is over; of several candidates the apiserver lets one through.
    const leftMs = Math.ceil(record.expiresInMs);
    await sleep(clock, leftMs > 0 ? Math.min(leftMs, retryMs) : retryMs, signal);
  }
  return false;
}

async function lead(term: Term): Promise<"lost" | "released"> {
  const { record, log, callMs } = term;
  const lost = new AbortController();
  const over = new AbortController();
  const renewing = term.signal.aborted ? Promise.resolve() : renew(term, lost, over.signal);
  try {
    if (!term.signal.aborted) await term.onStarted(lost.signal);
  } catch (error) {
    if (!lost.signal.aborted) throw error;
    log.warn({ err: error }, "the work failed while the lead was lost");
  } finally {
    over.abort();
    await renewing;
    if (!lost.signal.aborted) {
      await record.release({ timeoutMs: callMs }).then(
        () => log.info("released the lease"),
        (error: unknown) => log.warn({ err: error }, "could not release the lease; the next leader must wait it out"),
      );
    }
  }
  return lost.signal.aborted ? "lost" : "released";
}

/** Renews until `over`; aborts `lost` when somebody else leads or no renewal succeeded within the deadline. */
async function renew(term: Term, lost: AbortController, over: AbortSignal): Promise<void> {
  const { record, clock, log, renewDeadlineMs, retryMs, callMs } = term;
  const lose = (why: string) => {
    log.error({ why }, "lost the lead");
    lost.abort(new Error(`lost the lease ${term.namespace}/${term.name}: ${why}`));
  };
  const armDeadline = () => clock.setTimer(() => lose(`not renewed for ${renewDeadlineMs} ms`), renewDeadlineMs);
  const end = AbortSignal.any([over, lost.signal]);
  let disarm = armDeadline();
  for (;;) {
    await sleep(clock, retryMs, end);
    if (end.aborted) break;
    // The deadline counts from before the request: the apiserver may have acted on it at once and answered late.
    const disarmNext = armDeadline();
    try {
      if (await record.tryHold({ timeoutMs: callMs, signal: end })) {
        disarm();
        disarm = disarmNext;
        continue;
      }
      if (record.holder === term.identity) log.warn("somebody else wrote to the lease; trying again");
      else lose(`${record.holder ?? "somebody else"} holds it`);
    } catch (error) {
      if (!end.aborted) log.warn({ err: error }, "could not renew the lease");
    }
    disarmNext();
  }
  disarm();
}

function masterStatus(registry: Registry): Gauge<"name"> {
  const name = "leader_election_master_status";
  const known = registry.getSingleMetric(name) as Gauge<"name"> | undefined;
  const help = "1 while this process leads, else 0.";
  return known ?? new Gauge({ name, help, labelNames: ["name"], registers: [registry] });
}
