import { describe, expect, it } from "vitest";
import { coreSecondsIn, readCoreSeconds } from "./core-usage.ts";

describe("what a core did", () => {
  it("is user, nice, system and stolen time", () => {
    const stat = "cpu  999 999 999 999 0 0 0 999 0 0\ncpu0 1 1 1 1 0 0 0 1 0 0\ncpu1 100 20 30 5000 7 400 800 50 0 0\n";
    expect(coreSecondsIn(stat, 1)).toBe(2);
    expect(() => coreSecondsIn(stat, 2)).toThrow("no core 2");
  });

  it("is read of this machine", async () => {
    expect(await readCoreSeconds(0)).toBeGreaterThan(0);
  });
});
