import { describe, expect, it } from "vitest";
import { readResult } from "./wrk.ts";

describe("what wrk says", () => {
  it("is read of the line of our script", () => {
    const out = 'Running 1s test\nRequests/sec: 500\nRESULT {"requests":500,"micros":1000321,"errors":0}\n';
    expect(readResult(out)).toEqual({ requests: 500, micros: 1_000_321, errors: 0 });
    expect(() => readResult("unable to connect")).toThrow("unable to connect");
  });
});
