import { describe, expect, it } from "vitest";
import { ReplacementBackoff } from "./replacement-backoff.ts";

describe("the pause before a pod is replaced", () => {
  it("is none for the first, then grows to five minutes, and is forgotten after ten quiet ones", () => {
    const backoff = new ReplacementBackoff();
    const pauses: (number | undefined)[] = [];
    let now = 0;
    for (let i = 0; i < 12; i++) {
      backoff.ended("uid", now);
      const until = backoff.notBefore("uid", now);
      pauses.push(until === undefined ? undefined : until - now);
      now = until ?? now;
    }
    expect(pauses.slice(0, 4)).toEqual([undefined, 1_000, 2_000, 4_000]);
    expect(pauses.at(-1)).toBe(300_000);
    expect(backoff.notBefore("uid", now)).toBeUndefined();
    backoff.ended("uid", now + 600_000);
    expect(backoff.notBefore("uid", now + 600_000)).toBeUndefined();
  });

  it("is each instance's own", () => {
    const backoff = new ReplacementBackoff();
    for (let i = 0; i < 3; i++) backoff.ended("a", 0);
    expect(backoff.notBefore("b", 0)).toBeUndefined();
    backoff.forget("a");
    expect(backoff.notBefore("a", 0)).toBeUndefined();
  });
});
