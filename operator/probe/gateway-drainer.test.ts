import { describe, expect, it } from "vitest";
import { createLogger } from "#lib/log.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createGatewayDrainer, type DrainVerdict } from "./gateway-drainer.ts";
import type { GatewayTarget } from "./gateway-prober.ts";

const target = (id: string): GatewayTarget => ({ id, url: "http://gateway.test", token: () => "t" });

function setUp(answers: { suspend?: () => DrainVerdict | undefined; resume?: () => boolean }) {
  const clock = new ManualClock();
  const calls: string[] = [];
  const told: string[] = [];
  const drainer = createGatewayDrainer({
    calls: {
      suspend: async ({ id }) => {
        calls.push(`suspend ${id}`);
        return answers.suspend?.();
      },
      resume: async ({ id }) => {
        calls.push(`resume ${id}`);
        return answers.resume?.() ?? true;
      },
    },
    onVerdict: (key) => told.push(key),
    clock,
    log: createLogger("test", "silent"),
  });
  return { clock, calls, told, drainer };
}

describe("a gateway that is drained", () => {
  it("is asked again and again, its verdict told when it changes, its lease kept also when it is idle", async () => {
    let verdict: DrainVerdict = "Busy";
    const { clock, calls, told, drainer } = setUp({ suspend: () => verdict });
    drainer.drain("a", target("run-1"));
    drainer.drain("a", target("run-1"));
    await clock.advance(60_000);
    expect([drainer.verdict("a", "run-1"), told]).toEqual(["Busy", ["a"]]);
    // More than half of what OpenClaw takes, and the lease of two minutes never ends.
    expect(calls.length).toBeGreaterThan(10);
    expect(calls.length).toBeLessThanOrEqual(15);
    verdict = "Idle";
    await clock.advance(5_000);
    expect([drainer.verdict("a", "run-1"), told]).toEqual(["Idle", ["a", "a"]]);
    const before = calls.length;
    await clock.advance(120_000);
    expect(calls.length).toBeGreaterThan(before + 20);
    expect(drainer.verdict("a", "run-2")).toBeUndefined();
  });

  it("is deaf after three calls without an answer, and not after one", async () => {
    const { clock, told, drainer } = setUp({});
    drainer.drain("a", target("run-1"));
    await clock.advance(1_000);
    expect([drainer.verdict("a", "run-1"), told]).toEqual([undefined, []]);
    await clock.advance(2_000);
    expect([drainer.verdict("a", "run-1"), told]).toEqual(["Deaf", ["a"]]);
  });

  it("is not called any more once it is forgotten", async () => {
    const { clock, calls, drainer } = setUp({ suspend: () => "Busy" });
    drainer.drain("a", target("run-1"));
    await clock.advance(0);
    drainer.forget("a");
    await clock.advance(3_600_000);
    expect([calls, drainer.verdict("a", "run-1"), clock.pending]).toEqual([["suspend run-1"], undefined, 0]);
  });

  it("that started anew is another one", async () => {
    const { clock, calls, drainer } = setUp({ suspend: () => "Busy" });
    drainer.drain("a", target("run-1"));
    await clock.advance(0);
    drainer.drain("a", target("run-2"));
    await clock.advance(0);
    expect(calls).toEqual(["suspend run-1", "suspend run-2"]);
    drainer.close();
    expect(clock.pending).toBe(0);
  });
});

describe("a gateway that is to serve again", () => {
  it("is told once, even when it is forgotten meanwhile, and drained no more", async () => {
    const { clock, calls, drainer } = setUp({ suspend: () => "Busy" });
    drainer.drain("a", target("run-1"));
    await clock.advance(0);
    drainer.resume("a", target("run-1"));
    drainer.forget("a");
    await clock.advance(3_600_000);
    expect(calls).toEqual(["suspend run-1", "resume run-1"]);
    expect(clock.pending).toBe(0);
  });

  it("is told three times at most: its lease ends by itself", async () => {
    const { clock, calls, drainer } = setUp({ resume: () => false });
    drainer.resume("a", target("run-1"));
    await clock.advance(3_600_000);
    expect(calls).toHaveLength(3);
  });

  it("may be drained again", async () => {
    const { clock, calls, drainer } = setUp({ suspend: () => "Idle", resume: () => false });
    drainer.resume("a", target("run-1"));
    await clock.advance(0);
    drainer.drain("a", target("run-1"));
    await clock.advance(0);
    expect(calls).toEqual(["resume run-1", "suspend run-1"]);
    expect(drainer.verdict("a", "run-1")).toBe("Idle");
    drainer.close();
  });
});
