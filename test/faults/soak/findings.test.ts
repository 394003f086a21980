import { describe, expect, it } from "vitest";
import type { Measurements } from "#test/bench/operator/measurements.ts";
import { judgeCycles, judgeRest } from "./findings.ts";

const MB = 2 ** 20;

function measured(requests: Record<string, number>, megabytes: readonly number[]): Measurements {
  const idle = { requests, conflicts: 0, refused: 0, seconds: 600, cpuSeconds: 1.23, rssBytes: 140 * MB };
  const cycles = { count: 10_000, rssBytes: megabytes.map((mb) => mb * MB) };
  return { contender: "hatchery", instances: 1000, idle, cycles } as unknown as Measurements;
}

describe("the rest of a soak", () => {
  it("is well when only watches and the lease were renewed", () => {
    expect(judgeRest(measured({ "watch pods": 2, "update leases": 300 }, []))).toEqual({
      line: "rest | 1000 instances, 600 s: 0 requests but renewals, 1.2 s CPU, 140 MB RSS",
      faults: [],
    });
  });

  it.each([["patch pods"], ["get secrets"], ["list pods"]])("is at fault for a %s", (what) => {
    expect(judgeRest(measured({ "watch pods": 2, [what]: 1 }, [])).faults).toEqual([expect.stringContaining(what)]);
  });
});

describe("the cycles of a soak", () => {
  it("are well when memory is flat after what it takes to warm up", () => {
    expect(judgeCycles(measured({}, [100, 140, 141, 142]))).toEqual({
      line: "cycles | 10000 creations and deletions: 140 MB RSS after half, 142 MB RSS at the end",
      faults: [],
    });
  });

  it("are at fault when memory grows on, or when there were none", () => {
    expect(judgeCycles(measured({}, [100, 110, 120, 130])).faults).toHaveLength(1);
    expect(judgeCycles({} as Measurements).faults).toHaveLength(1);
  });
});
