import { describe, expect, it } from "vitest";
import type { Measurements } from "./measurements.ts";
import { renderReport } from "./report.ts";

const MB = 2 ** 20;
const quiet = { requests: {}, conflicts: 0, refused: 0 };

function measured(contender: string, requests: Record<string, number>): Measurements {
  return {
    contender,
    instances: 100,
    emptyRssBytes: 80 * MB,
    creation: {
      allReadySeconds: 4,
      perSecond: 25,
      createToReadyMs: { p50: 300, p99: 812.4 },
      requests,
      writesPerObject: 7,
      readsPerObject: 0,
      conflicts: 0,
      refused: 0,
      operatorCpuSeconds: 1.25,
      rigCpuSeconds: { etcd: 1, "kube-apiserver": 4, "kube-controller-manager": 2, "fake-node": 1 },
      reconcilesPerObject: 6,
      reconcileMs: { p50: 8, p99: 90 },
      rssBytes: 100 * MB,
      peakBytes: 110 * MB,
      samplesMs: [],
    },
    idle: {
      ...quiet,
      requests: { "update leases": 15, "watch pods": 1 },
      seconds: 30,
      cpuSeconds: 0.1,
      rssBytes: 90 * MB,
    },
    pokes: { Secret: 0 },
    drifts: { Secret: 1, Service: 1 },
    reactions: { evicted: { count: 25, p50: 80, p99: 140, sameVolume: 24, samplesMs: [] } },
    restart: {
      syncedSeconds: 0.5,
      drainedSeconds: 0.9,
      requests: { "list pods": 1, "list secrets": 1, "watch pods": 1 },
      writes: 0,
      cpuSeconds: 0.7,
      rssBytes: 95 * MB,
      peakBytes: 99 * MB,
    },
    cycles: { count: 8, rssBytes: [100, 101, 102, 103, 104, 105, 106, 107].map((mb) => mb * MB) },
  };
}

/** Cells of the row that begins with `what`. */
function cells(table: string, what: string): string[] | undefined {
  const line = table.split("\n").find((text) => text.startsWith(`| ${what} `));
  return line
    ?.split("|")
    .slice(2, -1)
    .map((cell) => cell.trim());
}

describe("the report", () => {
  const table = renderReport([
    measured("ours", { "patch pods": 100, "update leases": 9, "watch pods": 8, "patch networkpolicies": 1 }),
    measured("theirs", { "patch pods": 150, "create events": 300 }),
  ]);

  it("has a column for each operator and number of instances", () => {
    expect(cells(table, "")).toEqual(["ours 100", "theirs 100"]);
    expect(cells(table, "all Ready")).toEqual(["4 s", "4 s"]);
  });

  it("says what was asked per instance, leases and watches aside", () => {
    expect(cells(table, "- patch pods")).toEqual(["1", "1.50"]);
    expect(cells(table, "- create events")).toEqual(["0", "3"]);
    expect(cells(table, "- patch networkpolicies")).toEqual(["0.01", "0"]);
    expect(table).not.toMatch(/update leases|- watch pods/);
  });

  it("says how long nothing happened, and when that was too short to see all", () => {
    expect(cells(table, "idle window")?.[0]).toBe("30 s, short of 600");
    const full = { ...measured("ours", {}), idle: { ...measured("ours", {}).idle, seconds: 600 } };
    expect(cells(renderReport([full]), "idle window")).toEqual(["600 s"]);
  });

  it("tells renewals from what was asked while nothing happened", () => {
    expect(cells(table, "- writes and reads")?.[0]).toBe("0");
    expect(cells(table, "- watches and lease renewals")?.[0]).toBe("16");
  });

  it("says when a replacement got another volume, and nothing of what was not measured", () => {
    expect(cells(table, "pod evicted: replacement after, p50 / p99")?.[0]).toBe(
      "80 / 140 ms of 25, 1 with another volume",
    );
    expect(table).not.toContain("oom-killed");
  });

  it("gives one number for all children, where it is one", () => {
    expect(cells(table, "writes for a field changed by hand")?.[0]).toBe("1 each");
    const uneven = { ...measured("ours", {}), drifts: { Secret: 1, Service: 2 } };
    expect(cells(renderReport([uneven]), "writes for a field changed by hand")).toEqual(["Secret 1, Service 2"]);
  });

  it("adds the processes of the rig and takes the quarters of the cycles", () => {
    expect(cells(table, "apiserver and etcd CPU")?.[0]).toBe("5 s");
    expect(cells(table, "- RSS after 1/4, 1/2, 3/4, all")?.[0]).toBe("101 MB, 103 MB, 105 MB, 107 MB");
  });
});
