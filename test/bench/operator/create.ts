import { performance } from "node:perf_hooks";
import { countReads, countWrites, type RequestCounts } from "../kit/audit-tail.ts";
import { forEachOf } from "../kit/for-each.ts";
import { bucketsOf } from "../kit/prometheus.ts";
import { type Buckets, bucketsBetween, histogramQuantile, percentile } from "../kit/statistics.ts";
import type { Rig } from "./rig.ts";
import type { RunningOperator } from "./running-operator.ts";
import { createRendezvous, track } from "./tracker.ts";

/** What bringing N objects to Ready came to. Times in seconds unless they say milliseconds; memory in bytes. */
export interface Creation {
  readonly allReadySeconds: number;
  readonly perSecond: number;
  readonly createToReadyMs: { readonly p50: number; readonly p99: number };
  readonly requests: RequestCounts;
  readonly writesPerObject: number;
  readonly readsPerObject: number;
  readonly conflicts: number;
  readonly refused: number;
  readonly operatorCpuSeconds: number;
  /** By process of the rig. */
  readonly rigCpuSeconds: Readonly<Record<string, number>>;
  readonly reconcilesPerObject: number;
  readonly reconcileMs: { readonly p50: number; readonly p99: number };
  readonly rssBytes: number;
  readonly peakBytes: number;
  /** Of each object, in the order of creation, in milliseconds. */
  readonly samplesMs: readonly number[];
}

/** Objects being created at a time. */
const CREATORS = 16;
const PATIENCE_MS = 3_600_000;

/** Name of the i-th object. */
export function objectName(index: number): string {
  return `claw-${index}`;
}

/** Creates `count` objects and waits until all are Ready and the operator has nothing left to do. */
export async function createAll(rig: Rig, operator: RunningOperator, count: number): Promise<Creation> {
  const { client, contender, namespace } = rig;
  const ready = createRendezvous();
  const tracker = await track(client, contender.type, namespace, ({ object }, now) => {
    if (contender.isReady(object)) ready.happened(object.metadata.name, now);
  });
  const tail = await rig.tail();
  const before = await usedBy(rig, operator);
  const begun = performance.now();
  const samplesMs: number[] = [];
  let last = begun;
  const waits: Promise<void>[] = [];
  await forEachOf(count, CREATORS, async (index) => {
    const name = objectName(index);
    const asked = performance.now();
    await client.create(contender.type, contender.object(namespace, name));
    waits.push(
      ready.when(name, PATIENCE_MS).then((now) => {
        samplesMs[index] = now - asked;
        last = Math.max(last, now);
      }),
    );
  });
  await Promise.all(waits);
  await operator.quiet();
  await tracker.stop();
  const after = await usedBy(rig, operator);
  const { requests, conflicts, refused } = await tail.take(contender.userAgent);
  const seconds = (last - begun) / 1000;
  const reconciles = bucketsBetween(before.reconciles, after.reconciles);
  return {
    allReadySeconds: seconds,
    perSecond: count / seconds,
    createToReadyMs: { p50: percentile(samplesMs, 0.5), p99: percentile(samplesMs, 0.99) },
    requests,
    writesPerObject: countWrites(requests) / count,
    readsPerObject: countReads(requests) / count,
    conflicts,
    refused,
    operatorCpuSeconds: after.usage.cpuSeconds - before.usage.cpuSeconds,
    rigCpuSeconds: difference(before.rig, after.rig),
    reconcilesPerObject: (reconciles.at(-1)?.[1] ?? Number.NaN) / count,
    reconcileMs: {
      p50: histogramQuantile(reconciles, 0.5) * 1000,
      p99: histogramQuantile(reconciles, 0.99) * 1000,
    },
    rssBytes: after.usage.rssBytes,
    peakBytes: after.usage.peakBytes,
    samplesMs,
  };
}

async function usedBy(rig: Rig, operator: RunningOperator) {
  const reconciles: Buckets = bucketsOf(await operator.metrics(), "controller_runtime_reconcile_time_seconds");
  return { usage: await operator.usage(), rig: await rig.cpuSeconds(), reconciles };
}

function difference(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>) {
  return Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]));
}
