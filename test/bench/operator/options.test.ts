import { describe, expect, it } from "vitest";
import { parseOptions } from "./options.ts";

describe("the options of the bench", () => {
  it("have defaults", () => {
    expect(parseOptions([])).toEqual({
      instances: [100, 500, 1000, 5000],
      contenders: [],
      podDelayMs: 0,
      idleSeconds: 30,
      reactions: 50,
      cycles: 0,
      profile: false,
    });
  });

  it("are read", () => {
    const args = ["--instances", "10,20", "--contender", "a.ts", "--contender", "b.ts", "--idle", "600", "--profile"];
    expect(parseOptions(args)).toMatchObject({
      instances: [10, 20],
      contenders: ["a.ts", "b.ts"],
      idleSeconds: 600,
      profile: true,
    });
    expect(parseOptions(["--help"])).toBe("help");
  });

  it.each([
    ["--instances", "0"],
    ["--instances", "10,"],
    ["--idle", "-1"],
    ["--cycles", "many"],
    ["--no-such", "1"],
  ])("refuse %s %s", (name, value) => {
    expect(() => parseOptions([`${name}=${value}`])).toThrow(TypeError);
  });
});
