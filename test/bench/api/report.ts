import { figure, type Row, renderTable } from "../kit/table.ts";
import { addedLatency, answersOf, type Bar, barsOf, isMet, perCore, roundsOf, typical } from "./bars.ts";
import type { Measurements, Quantiles, Round } from "./measurements.ts";
import type { BenchOptions } from "./options.ts";

const OURS = "hatchery";
const DIRECT = "direct";
/** A core that others took more of than this says little of the proxy. */
const NOISY = 0.05;

/** The bars and what we and the others come to. */
export function renderBars(all: readonly Measurements[], options: BenchOptions): string {
  const ours = all.find(({ contender }) => contender === OURS);
  const peers = all.filter(({ contender }) => contender !== OURS && contender !== DIRECT);
  const head: Row = ["", "bar", OURS, "verdict", ...peers.map(({ contender }) => contender)];
  return renderTable(
    head,
    barsOf(options).flatMap((bar): Row[] => {
      const own = ours && bar.figure(ours, all);
      if (own === undefined || Number.isNaN(own)) return [];
      const verdict = isMet(bar, own) ? "met" : "missed";
      const others = peers.map((peer) => figure(bar.figure(peer, all), bar.unit));
      return [[bar.what, limitOf(bar), figure(own, bar.unit), verdict, ...others]];
    }),
  );
}

function limitOf({ side, limit, unit }: Bar): string {
  return `${side === "at most" ? "<=" : ">="} ${figure(limit, unit)}`;
}

/** Everything that was measured, a column for each proxy. Each figure is the median of the rounds. */
export function renderReport(all: readonly Measurements[], options: BenchOptions): string {
  const row = (what: string, cell: (m: Measurements) => string): Row => [what, ...all.map(cell)];
  const streams = (what: Parameters<typeof roundsOf>[1]) => (m: Measurements) => quantiles(roundsOf(m, what));
  return renderTable(
    ["", ...all.map(({ contender }) => contender)],
    [
      ...options.connections.flatMap((connections) => [
        row(`${connections} connections, ${connections * options.rate}/s: answer, p50 / p99`, (m) =>
          quantiles(answersOf(m, connections)),
        ),
        row("- added, p50 / p99", (m) =>
          m.contender === DIRECT ? "" : pair((of) => addedLatency(m, all, connections, of)),
        ),
      ]),
      row("as many as it can: CPU per request", (m) =>
        figure(
          typical(m.throughput, (r) => r.cpuMicros),
          "µs",
        ),
      ),
      row("- requests a second and core", (m) => figure(perCore(m))),
      row("- requests a second as asked by wrk", (m) => figure(typical(m.throughput, (r) => r.perSecond))),
      row(`${options.streams} streams: first event of another, p50 / p99`, streams("firstEvents")),
      row("- an event, p50 / p99", streams("events")),
      row("- CPU per event", (m) =>
        figure(
          typical(m.streams, (r) => r.cpuMicros),
          "µs",
        ),
      ),
      row(`- an event beside ${options.slowReaders} slow readers, p50 / p99`, streams("eventsBesideSlow")),
      row("- memory taken by those, at most", (m) => megabytes(typical(m.streams, (r) => r.slowGrowthBytes))),
      row("- bytes on the way to each of them", (m) => megabytes(typical(m.streams, (r) => r.slowTakenBytes))),
      row(`${options.quiet} quiet streams: RSS before`, ({ quiet }) => megabytes(quiet?.emptyRssBytes)),
      row("- RSS with them", ({ quiet }) => megabytes(quiet?.rssBytes)),
      row("- CPU", ({ quiet }) => figure(quiet && quiet.cpuShare * 100, "%")),
      row("its core was taken by others, at most", (m) => disturbance(m)),
    ],
  );
}

function quantiles(rounds: readonly Quantiles[]): string {
  return pair((of) => typical(rounds, of));
}

function pair(value: (of: (quantiles: Quantiles) => number) => number | undefined): string {
  const [p50, p99] = [value((round) => round.p50), value((round) => round.p99)];
  return p50 === undefined ? "" : `${figure(p50)} / ${figure(p99, "ms")}`;
}

function megabytes(bytes: number | undefined): string {
  return figure(bytes === undefined ? undefined : bytes / 2 ** 20, "MB");
}

function disturbance({ latency, throughput, streams }: Measurements): string {
  const rounds: readonly Round[] = [...latency, ...throughput, ...streams];
  if (rounds.length === 0) return "";
  const most = Math.max(...rounds.map(({ disturbed }) => disturbed));
  return `${figure(most * 100, "%")}${most > NOISY ? ", noisy" : ""}`;
}
