import { countReads, countWrites, sumRequests } from "../kit/audit-tail.ts";
import { figure, type Row, renderTable } from "../kit/table.ts";
import type { Measurements } from "./measurements.ts";
import type { Mishap } from "./reactions.ts";
import type { Echo } from "./rest.ts";

/** What an operator does by itself it does at least about once in this time. */
const FULL_IDLE_SECONDS = 600;

/** The one table: a column for each operator and number of objects. */
export function renderReport(all: readonly Measurements[]): string {
  const head: Row = ["", ...all.map(({ contender, instances }) => `${contender} ${instances}`)];
  const row = (what: string, cell: (m: Measurements) => string): Row => [what, ...all.map(cell)];
  const mishaps: readonly Mishap[] = ["failed", "evicted", "oom-killed", "deleted"];
  return renderTable(head, [
    row("all Ready", (m) => figure(m.creation.allReadySeconds, "s")),
    row("instances a second", (m) => figure(m.creation.perSecond)),
    row("create to Ready, p50", (m) => figure(m.creation.createToReadyMs.p50, "ms")),
    row("create to Ready, p99", (m) => figure(m.creation.createToReadyMs.p99, "ms")),
    row("writes per instance", (m) => figure(m.creation.writesPerObject)),
    ...requestRows(all),
    row("reads per instance", (m) => figure(m.creation.readsPerObject)),
    row("answers 409", (m) => figure(m.creation.conflicts)),
    row("other refusals", (m) => figure(m.creation.refused)),
    row("operator CPU", (m) => figure(m.creation.operatorCpuSeconds, "s")),
    row("apiserver and etcd CPU", (m) => figure(ofRig(m, ["kube-apiserver", "etcd"]), "s")),
    row("rest of the rig's CPU", (m) => figure(ofRig(m, ["kube-controller-manager", "fake-node"]), "s")),
    row("reconciles per instance", (m) => figure(m.creation.reconcilesPerObject)),
    row("reconcile, p50", (m) => figure(m.creation.reconcileMs.p50, "ms")),
    row("reconcile, p99", (m) => figure(m.creation.reconcileMs.p99, "ms")),
    row("RSS empty", (m) => megabytes(m.emptyRssBytes)),
    row("RSS all Ready", (m) => megabytes(m.creation.rssBytes)),
    row("RSS at its highest", (m) => megabytes(m.creation.peakBytes)),
    row("RSS after the idle window", (m) => megabytes(m.idle.rssBytes)),
    row("idle window", idleWindow),
    row("- writes and reads", (m) => figure(countWrites(m.idle.requests) + countReads(m.idle.requests))),
    row("- watches and lease renewals", (m) => figure(renewals(m))),
    row("- operator CPU", (m) => figure(m.idle.cpuSeconds, "s")),
    row("writes for an annotation on each child", (m) => echo(m.pokes)),
    row("writes for a field changed by hand", (m) => echo(m.drifts)),
    ...mishaps.map((mishap) => row(`pod ${mishap}: replacement after, p50 / p99`, (m) => reaction(m, mishap))),
    row("restart: caches synced", (m) => figure(m.restart.syncedSeconds, "s")),
    row("restart: queue drained", (m) => figure(m.restart.drainedSeconds, "s")),
    row("restart: writes", (m) => figure(m.restart.writes)),
    row("restart: lists", (m) => figure(sumRequests(m.restart.requests, (verb) => verb === "list"))),
    row("restart: RSS", (m) => megabytes(m.restart.rssBytes)),
    row("restart: RSS at its highest", (m) => megabytes(m.restart.peakBytes)),
    row("create/delete cycles", (m) => figure(m.cycles?.count)),
    row("- RSS after 1/4, 1/2, 3/4, all", (m) => (m.cycles ? quarters(m.cycles.rssBytes) : "")),
  ]);
}

/** A row per kind of request that somebody made at least once for every hundredth object. */
function requestRows(all: readonly Measurements[]): Row[] {
  const perObject = (m: Measurements, what: string) => (m.creation.requests[what] ?? 0) / m.instances;
  const kinds = new Set(all.flatMap(({ creation }) => Object.keys(creation.requests)));
  return [...kinds]
    .filter((what) => !/^watch | leases$/.test(what) && all.some((m) => perObject(m, what) >= 0.01))
    .sort()
    .map((what) => [`- ${what}`, ...all.map((m) => figure(perObject(m, what)))]);
}

function ofRig({ creation }: Measurements, processes: readonly string[]): number {
  return processes.reduce((sum, name) => sum + (creation.rigCpuSeconds[name] ?? 0), 0);
}

/** What is done by itself but seldom falls outside of a short window: then its zeros say less. */
function idleWindow({ idle }: Measurements): string {
  return `${figure(idle.seconds, "s")}${idle.seconds < FULL_IDLE_SECONDS ? `, short of ${FULL_IDLE_SECONDS}` : ""}`;
}

function renewals({ idle }: Measurements): number {
  return sumRequests(idle.requests, (verb, resource) => verb === "watch" || resource === "leases");
}

/** One number where it is the same for every kind of child. */
function echo(writes: Echo): string {
  const counts = new Set(Object.values(writes));
  if (counts.size === 1) return `${[...counts].map(String).join("")} each`;
  return Object.entries(writes)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(", ");
}

function reaction({ reactions }: Measurements, mishap: Mishap): string {
  const found = reactions[mishap];
  if (!found) return "";
  const lost = found.count - found.sameVolume;
  return `${figure(found.p50)} / ${figure(found.p99, "ms")} of ${found.count}${lost > 0 ? `, ${lost} with another volume` : ""}`;
}

function quarters(samples: readonly number[]): string {
  return [0.25, 0.5, 0.75, 1].map((part) => megabytes(samples[Math.ceil(part * samples.length) - 1])).join(", ");
}

function megabytes(bytes: number | undefined): string {
  return figure(bytes === undefined ? undefined : bytes / 2 ** 20, "MB");
}
