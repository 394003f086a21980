import { describe, expect, it } from "vitest";
import { createLogger } from "#lib/log.ts";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { createGatewayProber, type GatewayTarget } from "./gateway-prober.ts";
import type { GatewayVerdict } from "./gateway-verdict.ts";

const RECHECK_MS = 180_000;
const silent: GatewayVerdict = { reachable: false, reason: "GatewaySilent", message: "no answer" };
const target = (id: string): GatewayTarget => ({ id, url: "http://gateway.test", token: () => "t" });

function setUp(answer: (id: string) => GatewayVerdict) {
  const clock = new ManualClock();
  const calls: string[] = [];
  const told: string[] = [];
  const prober = createGatewayProber({
    call: async ({ id }) => {
      calls.push(id);
      return answer(id);
    },
    onVerdict: (key) => told.push(key),
    recheckMs: RECHECK_MS,
    random: () => 0.5,
    clock,
    log: createLogger("test", "silent"),
  });
  return { clock, calls, told, prober };
}

describe("a gateway", () => {
  it("is called once when it answers, then only every few minutes, and told of once", async () => {
    const { clock, calls, told, prober } = setUp(() => ({ reachable: true }));
    prober.want("a", target("run-1"));
    prober.want("a", target("run-1"));
    await clock.advance(RECHECK_MS - 1);
    expect([calls, told]).toEqual([["run-1"], ["a"]]);
    expect(prober.verdict("a", "run-1")).toEqual({ reachable: true });
    expect(prober.verdict("a", "run-2")).toBeUndefined();
    await clock.advance(3_600_000);
    expect([calls.length, told]).toEqual([21, ["a"]]);
  });

  it("that is known to answer is called only later, and wakes nobody for it", async () => {
    const { clock, calls, told, prober } = setUp(() => ({ reachable: true }));
    prober.want("a", target("run-1"), true);
    expect(prober.verdict("a", "run-1")).toEqual({ reachable: true });
    await clock.advance(RECHECK_MS / 2 - 1);
    expect(calls).toEqual([]);
    await clock.advance(1);
    expect([calls, told]).toEqual([["run-1"], []]);
  });

  it("that falls silent is called again soon, and told of after the third time", async () => {
    let verdict: GatewayVerdict = { reachable: true };
    const { clock, told, prober } = setUp(() => verdict);
    prober.want("a", target("run-1"));
    await clock.advance(0);
    verdict = silent;
    await clock.advance(RECHECK_MS);
    expect([told, prober.verdict("a", "run-1")]).toEqual([["a"], { reachable: true }]);
    await clock.advance(1_500);
    expect([told, prober.verdict("a", "run-1")]).toEqual([["a", "a"], silent]);
  });

  it("is called with growing pauses while it is silent, and told of once, after the third time", async () => {
    const { clock, calls, told, prober } = setUp(() => silent);
    prober.want("a", target("run-1"));
    await clock.advance(0);
    expect([calls.length, told]).toEqual([1, []]);
    await clock.advance(500);
    await clock.advance(1_000);
    expect([calls.length, told]).toEqual([3, ["a"]]);
    await clock.advance(3_600_000);
    expect(told).toEqual(["a"]);
    // 2, 4, 8 and 16 s, then every 30 s.
    expect(calls.length).toBeLessThan(130);
    expect(prober.verdict("a", "run-1")).toEqual(silent);
  });

  it("is told of when it comes back", async () => {
    let verdict: GatewayVerdict = silent;
    const { clock, told, prober } = setUp(() => verdict);
    prober.want("a", target("run-1"));
    await clock.advance(10_000);
    verdict = { reachable: true };
    await clock.advance(60_000);
    expect(told).toEqual(["a", "a"]);
    expect(prober.verdict("a", "run-1")).toEqual({ reachable: true });
  });

  it("that started anew is another one", async () => {
    const { clock, calls, prober } = setUp((id) => (id === "run-1" ? silent : { reachable: true }));
    prober.want("a", target("run-1"));
    await clock.advance(10_000);
    prober.want("a", target("run-2"));
    expect(prober.verdict("a", "run-1")).toBeUndefined();
    await clock.advance(RECHECK_MS - 1);
    expect(calls.at(-1)).toBe("run-2");
    expect(calls.filter((id) => id === "run-2")).toHaveLength(1);
  });

  it("is not called any more once it is forgotten", async () => {
    const { clock, calls, told, prober } = setUp(() => silent);
    prober.want("a", target("run-1"));
    prober.want("b", target("run-2"));
    await clock.advance(0);
    prober.forget("a");
    prober.close();
    await clock.advance(3_600_000);
    expect([calls.length, told, clock.pending]).toEqual([2, [], 0]);
  });
});

describe("many gateways", () => {
  it("are called not more than 32 at a time, and all in the end", async () => {
    const clock = new ManualClock();
    const waiting: (() => void)[] = [];
    let most = 0;
    const told = new Set<string>();
    const prober = createGatewayProber({
      call: async () => {
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          most = Math.max(most, waiting.length);
        });
        return { reachable: true };
      },
      onVerdict: (key) => told.add(key),
      recheckMs: RECHECK_MS,
      random: () => 0.5,
      clock,
      log: createLogger("test", "silent"),
    });
    for (let i = 0; i < 100; i++) prober.want(`k${i}`, target(`r${i}`));
    while (told.size < 100) {
      waiting.shift()?.();
      await clock.advance(0);
    }
    expect(most).toBe(32);
  });
});
