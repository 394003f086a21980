import { describe, expect, it } from "vitest";
import { ConfigChecks } from "./config-checks.ts";

function setUp() {
  const woken: string[] = [];
  return { woken, checks: new ConfigChecks((key) => woken.push(key)) };
}

const trouble = { reason: "ImagePullFailed", message: "no such image" } as const;

describe("the checks of all instances", () => {
  it("have one runner each, and those who wait are woken by its verdict", () => {
    const { woken, checks } = setUp();
    checks.report("a", { id: "1", runs: true });
    checks.report("b", { id: "1", runs: false });
    checks.report("c", { id: "2", runs: false });
    expect([checks.runner("1")?.key, checks.verdict("1"), woken]).toEqual(["a", undefined, []]);
    checks.report("a", { id: "1", runs: true, verdict: { passed: true } });
    expect([checks.verdict("1"), woken]).toEqual([{ passed: true }, ["b"]]);
    checks.report("a", { id: "1", runs: true, verdict: { passed: true } });
    expect(woken).toEqual(["b"]);
  });

  it.each([
    ["is gone or needs it no more", undefined],
    ["needs another", { id: "2", runs: true }],
  ])("go on with another when the runner %s", (_, next) => {
    const { woken, checks } = setUp();
    checks.report("a", { id: "1", runs: true });
    checks.report("b", { id: "1", runs: false });
    checks.report("a", next);
    expect([checks.runner("1"), woken]).toEqual([undefined, ["b"]]);
  });

  it("that cannot be made tell so to those who wait, once", () => {
    const { woken, checks } = setUp();
    checks.report("a", { id: "1", runs: true });
    checks.report("b", { id: "1", runs: false });
    checks.report("a", { id: "1", runs: true, trouble });
    checks.report("a", { id: "1", runs: true, trouble });
    expect([checks.runner("1")?.trouble, woken]).toEqual([trouble, ["b"]]);
  });

  it("are forgotten, the oldest first, when there are a thousand", () => {
    const { checks } = setUp();
    for (let i = 0; i <= 1000; i++) checks.report("a", { id: `${i}`, runs: true, verdict: { passed: true } });
    expect([checks.verdict("0"), checks.verdict("1")]).toEqual([undefined, { passed: true }]);
  });
});
