import { setTimeout as pause } from "node:timers/promises";
import { type Asked, countWrites, type RequestCounts } from "../kit/audit-tail.ts";
import type { Child } from "./contender.ts";
import type { Rig } from "./rig.ts";
import { type RunningOperator, startOperator } from "./running-operator.ts";

/** What an operator asked while nothing happened. */
export interface Idle extends Asked {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** At the end, in bytes. */
  readonly rssBytes: number;
}

/** Looks on for a while. */
export async function idle(rig: Rig, operator: RunningOperator, seconds: number): Promise<Idle> {
  const tail = await rig.tail();
  const before = await operator.usage();
  await pause(seconds * 1000);
  const after = await operator.usage();
  const asked = await tail.take(rig.contender.userAgent);
  return { ...asked, seconds, cpuSeconds: after.cpuSeconds - before.cpuSeconds, rssBytes: after.rssBytes };
}

/** Writes that a change of a child by hand led to, by kind of the child. */
export type Echo = Readonly<Record<string, number>>;

/** An answer to a change of a child takes milliseconds; what has not come by then does not come. */
const ECHO_MS = 2_000;

/** Pokes an annotation of each child of an object: nothing is to be put back. */
export function pokeChildren(rig: Rig, name: string): Promise<Echo> {
  return echo(rig, name, () => ({ metadata: { annotations: { "bench.test/poked": "1" } } }));
}

/** Changes a field of each child that the operator has to put back. */
export function driftChildren(rig: Rig, name: string): Promise<Echo> {
  return echo(rig, name, ({ drift }) => drift);
}

async function echo(rig: Rig, name: string, patchOf: (child: Child) => object | undefined): Promise<Echo> {
  const { client, contender, namespace } = rig;
  const writes: Record<string, number> = {};
  for (const child of contender.children(name)) {
    const patch = patchOf(child);
    if (!patch) continue;
    const tail = await rig.tail();
    await client.mergePatch(child.type, { namespace, name: child.name }, patch);
    await pause(ECHO_MS);
    writes[child.type.kind] = countWrites((await tail.take(contender.userAgent)).requests);
  }
  return writes;
}

/** What a restart came to. */
export interface Restart {
  /** From the start of the process until its caches were synced. */
  readonly syncedSeconds: number;
  /** From the start of the process until its queue was drained. */
  readonly drainedSeconds: number;
  readonly requests: RequestCounts;
  readonly writes: number;
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  readonly peakBytes: number;
}

/** Ends the operator in good order and starts it again; answers the new one beside what it cost. */
export async function restart(
  rig: Rig,
  old: RunningOperator,
  profileDir?: string,
): Promise<{ restart: Restart; operator: RunningOperator }> {
  await old.stop();
  const tail = await rig.tail();
  const operator = await startOperator(rig, profileDir);
  const ready = await operator.ready();
  const drained = await operator.quiet();
  const usage = await operator.usage();
  const { requests } = await tail.take(rig.contender.userAgent);
  return {
    operator,
    restart: {
      syncedSeconds: (ready - operator.startedAt) / 1000,
      drainedSeconds: (drained - operator.startedAt) / 1000,
      requests,
      writes: countWrites(requests),
      cpuSeconds: usage.cpuSeconds,
      rssBytes: usage.rssBytes,
      peakBytes: usage.peakBytes,
    },
  };
}
