import { describe, expect, it } from "vitest";
import { parseOptions } from "./options.ts";

describe("the options of the bench", () => {
  it("have defaults", () => {
    expect(parseOptions([])).toEqual({
      parts: ["latency", "throughput", "streams", "quiet"],
      peers: ["nginx", "configurable-http-proxy"],
      connections: [1, 10, 50, 200],
      rate: 25,
      seconds: 10,
      rounds: 3,
      streams: 200,
      slowReaders: 10,
      quiet: 5000,
      quietSeconds: 30,
      users: 5000,
      profile: false,
    });
  });

  it("are read, parts in their own order", () => {
    const args = ["--connections", "1,10", "--parts", "quiet,latency", "--peers", "none", "--profile"];
    expect(parseOptions(args)).toMatchObject({
      connections: [1, 10],
      parts: ["latency", "quiet"],
      peers: [],
      profile: true,
    });
    expect(parseOptions(["--help"])).toBe("help");
  });

  it.each([
    ["--connections", "0"],
    ["--connections", "10,"],
    ["--seconds", "-1"],
    ["--rate", "many"],
    ["--parts", "latency,chaos"],
    ["--peers", "haproxy"],
    ["--no-such", "1"],
  ])("refuse %s %s", (name, value) => {
    expect(() => parseOptions([`${name}=${value}`])).toThrow(TypeError);
  });
});
