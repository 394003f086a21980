import { performance } from "node:perf_hooks";
import { timestamp } from "#lib/clock.ts";
import { PERSISTENT_VOLUME_CLAIMS, PODS, type Pod } from "#lib/kube/resource.ts";
import { forEachOf } from "../kit/for-each.ts";
import { percentile } from "../kit/statistics.ts";
import type { Rig } from "./rig.ts";
import { createRendezvous, track } from "./tracker.ts";

/** How long after something happened to a pod its replacement was created, in milliseconds. */
export interface Reaction {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  /** Replacements that use the same volume claims, by uid and not by name alone. */
  readonly sameVolume: number;
  readonly samplesMs: readonly number[];
}

/** What may happen to a pod. */
export type Mishap = "failed" | "evicted" | "oom-killed" | "deleted";

/** Pods that meet their end at the same time: a node's worth, not one after the other and not all at once. */
const CONCURRENCY = 5;
const PATIENCE_MS = 600_000;

/** Lets each mishap happen to `count` pods, no pod twice, and waits for their replacements. */
export async function measureReactions(rig: Rig, count: number): Promise<Partial<Record<Mishap, Reaction>>> {
  const { client, contender, namespace } = rig;
  const made = createRendezvous();
  const replacements = new Map<string, Pod>();
  const tracker = await track(client, PODS, namespace, ({ type, object }, now) => {
    const owner = contender.ownerOf(object);
    if (type !== "ADDED" || owner === undefined) return;
    replacements.set(owner, object);
    made.happened(owner, now);
  });
  const pods = (await client.list(PODS, { namespace })).items.filter((pod) => contender.ownerOf(pod) !== undefined);
  const reactions: Partial<Record<Mishap, Reaction>> = {};
  for (const mishap of ["failed", "evicted", "oom-killed", "deleted"] as const) {
    const victims = pods.splice(0, count);
    const samples: number[] = [];
    const before = await readClaims(rig);
    await forEachOf(victims.length, CONCURRENCY, async (index) => {
      const pod = victims[index];
      const owner = pod && contender.ownerOf(pod);
      if (!pod || owner === undefined) return;
      const begun = performance.now();
      await befall(rig, pod, mishap);
      samples.push((await made.when(owner, PATIENCE_MS)) - begun);
    });
    if (samples.length === 0) continue;
    const after = await readClaims(rig);
    const sameVolume = victims.filter((pod) => {
      const next = replacements.get(contender.ownerOf(pod) ?? "");
      return next !== undefined && claimsOf(next, after) === claimsOf(pod, before);
    }).length;
    const [p50, p99] = [percentile(samples, 0.5), percentile(samples, 0.99)];
    reactions[mishap] = { count: samples.length, p50, p99, sameVolume, samplesMs: samples };
  }
  await tracker.stop();
  return reactions;
}

async function befall({ client }: Rig, pod: Pod, mishap: Mishap): Promise<void> {
  if (mishap === "deleted") await client.delete(PODS, pod.metadata);
  else await client.mergePatch(PODS, pod.metadata, { status: statusAfter(pod, mishap) }, { subresource: "status" });
}

/** As the kubelet leaves it. */
function statusAfter(pod: Pod, mishap: Exclude<Mishap, "deleted">): object {
  const finishedAt = timestamp(Date.now());
  const ended = { failed: { exitCode: 1, reason: "Error" }, "oom-killed": { exitCode: 137, reason: "OOMKilled" } };
  const conditions = (pod.status?.conditions ?? []).map((condition) =>
    condition.type === "Ready" ? { ...condition, status: "False", reason: "PodFailed" } : condition,
  );
  if (mishap === "evicted") {
    return { phase: "Failed", reason: "Evicted", message: "The node was low on resource: memory.", conditions };
  }
  const containerStatuses = (pod.status?.containerStatuses ?? []).map((status) => ({
    ...status,
    ready: false,
    started: false,
    state: { terminated: { ...ended[mishap], finishedAt } },
  }));
  return { phase: "Failed", conditions, containerStatuses };
}

/** The uid of each volume claim, by name. */
async function readClaims({ client, namespace }: Rig): Promise<ReadonlyMap<string, string | undefined>> {
  const { items } = await client.list(PERSISTENT_VOLUME_CLAIMS, { namespace });
  return new Map(items.map(({ metadata }) => [metadata.name, metadata.uid]));
}

function claimsOf(pod: Pod, uids: ReadonlyMap<string, string | undefined>): string {
  const names = (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) => claim?.claimName ?? []);
  return names.map((name) => `${name} ${uids.get(name)}`).join(",");
}
