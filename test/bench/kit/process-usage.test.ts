import { describe, expect, it } from "vitest";
import { bytesIn, cpuSecondsIn, readUsage } from "./process-usage.ts";

describe("what a process used", () => {
  it("is read past any name it may have", () => {
    const stat = "42 (node (a) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 75 0 0 20 0 11 0 123 1000 2000";
    expect(cpuSecondsIn(stat)).toBe(3.25);
  });

  it("is read in bytes", () => {
    const status = "Name:\tnode\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n";
    expect([bytesIn(status, "VmRSS"), bytesIn(status, "VmHWM"), bytesIn(status, "VmNone")]).toEqual([
      1_048_576, 2_097_152, 0,
    ]);
  });

  it("is that of this process, by its own pid", async () => {
    const { rssBytes, peakBytes } = await readUsage(process.pid);
    expect(rssBytes).toBeGreaterThan(10_000_000);
    expect(peakBytes).toBeGreaterThanOrEqual(rssBytes);
  });
});
