import { describe, expect, it } from "vitest";
import type { Measurements, StreamsRound } from "./measurements.ts";
import { type BenchOptions, parseOptions } from "./options.ts";
import { renderBars, renderReport } from "./report.ts";

const KB = 1024;
const options = parseOptions([]) as BenchOptions;

function answered(...rounds: [p50: number, p99: number][]): Measurements["latency"] {
  return rounds.map(([p50, p99]) => ({ connections: 10, disturbed: 0.01, answers: { count: 1000, p50, p99 } }));
}

function streamed(first: number, p99: number): StreamsRound {
  const events = { count: 9, p50: 0.1, p99 };
  return {
    disturbed: 0,
    firstEvents: { count: 9, p50: first, p99: 9 },
    events,
    eventsBesideSlow: events,
    cpuMicros: 30,
    slowGrowthBytes: 5 * KB * KB,
    slowTakenBytes: KB * KB,
  };
}

function busy(cpuMicros: number | undefined): Measurements["throughput"] {
  return [{ disturbed: 0, perSecond: 5000, cpuMicros }];
}

const direct: Measurements = {
  contender: "direct",
  latency: answered([0.2, 1], [0.4, 1], [0.2, 9]),
  throughput: busy(undefined),
  streams: [streamed(0.3, 0.4)],
};
const ours: Measurements = {
  contender: "hatchery",
  latency: answered([0.5, 2], [0.7, 4], [0.6, 11]),
  throughput: busy(50),
  streams: [streamed(0.9, 0.9)],
  quiet: { count: 100, emptyRssBytes: 1000 * KB, rssBytes: 5000 * KB, cpuShare: 0.01 },
};
const theirs: Measurements = {
  contender: "configurable-http-proxy",
  latency: answered([0.4, 3], [0.6, 3], [0.4, 11]).map((round) => ({ ...round, disturbed: 0.2 })),
  throughput: busy(120),
  streams: [],
};
const all = [direct, ours, theirs];

/** Cells of the row that begins with `what`. */
function cells(table: string, what: string): string[] | undefined {
  const line = table.split("\n").find((text) => text.startsWith(`| ${what}`));
  return line
    ?.split("|")
    .slice(2, -1)
    .map((cell) => cell.trim());
}

describe("the bars", () => {
  const table = renderBars(all, options);

  it("show limit, our figure, the verdict and the others", () => {
    expect(cells(table, "requests a second and core")).toEqual([">= 2 times", "2.40 times", "met", "1 times"]);
    expect(cells(table, "each of 5000 quiet streams")).toEqual(["<= 40 KB", "40 KB", "met", ""]);
    expect(cells(table, "an event of 200 streams, p99")).toEqual(["<= 1 ms", "0.90 ms", "met", ""]);
  });

  it("count what is added in the same round, and take the median round", () => {
    expect(cells(table, "added to an answer at 10 connections, p50")).toEqual([
      "<= 0.40 ms",
      "0.30 ms",
      "met",
      "0.20 ms",
    ]);
    expect(cells(table, "added to an answer at 10 connections, p99")).toEqual(["<= 2 ms", "2 ms", "met", "2 ms"]);
    expect(cells(table, "added to a first event")).toEqual(["<= 0.50 ms", "0.60 ms", "missed", ""]);
  });

  it("leave out what was not measured", () => {
    const { quiet: _, ...rest } = ours;
    expect(renderBars([direct, { ...rest, latency: [] }], options)).not.toMatch(/quiet|answer|requests a second/);
  });
});

describe("the report", () => {
  const table = renderReport(all, options);

  it("has a column for each proxy, and one without", () => {
    expect(cells(table, "")).toEqual(["direct", "hatchery", "configurable-http-proxy"]);
    expect(cells(table, "10 connections, 250/s")?.[0]).toBe("0.20 / 1 ms");
    expect(cells(table, "- added, p50 / p99")).toEqual(["", "0.30 / 2 ms", "0.20 / 2 ms"]);
    expect(table).not.toContain("50 connections");
  });

  it("says who was disturbed", () => {
    expect(cells(table, "its core was taken by others")).toEqual(["1 %", "1 %", "20 %, noisy"]);
  });
});
