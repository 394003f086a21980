import { median } from "../kit/statistics.ts";
import type { Measurements, Quantiles } from "./measurements.ts";

/** What we hold ourselves to. */
export interface Bar {
  readonly what: string;
  readonly unit: string;
  readonly limit: number;
  /** Whether a good figure lies below the limit or above. */
  readonly side: "at most" | "at least";
  /** Undefined where it was not measured. */
  figure(m: Measurements, all: readonly Measurements[]): number | undefined;
}

/** Connections at which the bars of added latency hold. */
const CONNECTIONS = 10;
const RIVAL = "configurable-http-proxy";

/** All bars, by the options the run had. */
export function barsOf({ streams, quiet }: { streams: number; quiet: number }): Bar[] {
  const p50 = (of: Quantiles) => of.p50;
  const p99 = (of: Quantiles) => of.p99;
  return [
    {
      what: `added to an answer at ${CONNECTIONS} connections, p50`,
      unit: "ms",
      limit: 0.4,
      side: "at most",
      figure: (m, all) => addedLatency(m, all, CONNECTIONS, p50),
    },
    {
      what: `added to an answer at ${CONNECTIONS} connections, p99`,
      unit: "ms",
      limit: 2,
      side: "at most",
      figure: (m, all) => addedLatency(m, all, CONNECTIONS, p99),
    },
    {
      what: `requests a second and core, of ${RIVAL}'s`,
      unit: "times",
      limit: 2,
      side: "at least",
      figure: (m, all) => ratio(perCore(m), perCore(find(all, RIVAL))),
    },
    {
      what: `added to a first event beside ${streams} streams, p50`,
      unit: "ms",
      limit: 0.5,
      side: "at most",
      figure: (m, all) => added(roundsOf(m, "firstEvents"), roundsOf(find(all, "direct"), "firstEvents"), p50),
    },
    {
      what: `an event of ${streams} streams, p99`,
      unit: "ms",
      limit: 1,
      side: "at most",
      figure: (m) => typical(roundsOf(m, "events"), p99),
    },
    {
      what: `each of ${quiet} quiet streams`,
      unit: "KB",
      limit: 40,
      side: "at most",
      figure: (m) => m.quiet && (m.quiet.rssBytes - m.quiet.emptyRssBytes) / m.quiet.count / 1024,
    },
  ];
}

/** True when the figure is as good as the bar asks. */
export function isMet({ limit, side }: Bar, figure: number): boolean {
  return side === "at most" ? figure <= limit : figure >= limit;
}

/** What a proxy adds to an answer at so many connections, in milliseconds. */
export function addedLatency(
  m: Measurements,
  all: readonly Measurements[],
  connections: number,
  of: (quantiles: Quantiles) => number,
): number | undefined {
  return added(answersOf(m, connections), answersOf(find(all, "direct"), connections), of);
}

/** Answers at so many connections, by round. */
export function answersOf(m: Measurements | undefined, connections: number): Quantiles[] {
  return (m?.latency ?? []).filter((round) => round.connections === connections).map(({ answers }) => answers);
}

/** One kind of a proxy's events, by round. */
export function roundsOf(
  m: Measurements | undefined,
  what: "firstEvents" | "events" | "eventsBesideSlow",
): Quantiles[] {
  return (m?.streams ?? []).map((round) => round[what]);
}

/** The median over the rounds; undefined without any. */
export function typical<T>(rounds: readonly T[], of: (round: T) => number | undefined): number | undefined {
  const figures = rounds.map(of).filter((figure) => figure !== undefined);
  return figures.length === 0 ? undefined : median(figures);
}

/** Requests a second that a whole core of this proxy's would answer. */
export function perCore(m: Measurements | undefined): number | undefined {
  const micros = typical(m?.throughput ?? [], ({ cpuMicros }) => cpuMicros);
  return micros === undefined ? undefined : 1e6 / micros;
}

/** The difference to what went without a proxy in the same round; the median of those. */
export function added(
  rounds: readonly Quantiles[],
  direct: readonly Quantiles[],
  of: (quantiles: Quantiles) => number,
): number | undefined {
  if (rounds === direct) return undefined;
  return typical(
    rounds.map((round, index) => ({ round, base: direct[index] })),
    ({ round, base }) => base && of(round) - of(base),
  );
}

function find(all: readonly Measurements[], name: string): Measurements | undefined {
  return all.find(({ contender }) => contender === name);
}

function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b;
}
