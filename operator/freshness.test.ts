import { describe, expect, it } from "vitest";
import type { CopyState } from "#lib/kube/informer.ts";
import { freshnessChecks } from "./freshness.ts";

function copy(name: string, hasSynced: boolean, ageMs: number, error?: string): CopyState {
  return { name, hasSynced, lastSyncAgeMs: () => ageMs, lastError: error === undefined ? undefined : new Error(error) };
}

describe("readiness", () => {
  it.each([
    ["is not there before the first list", copy("pods", false, Infinity), "not listed yet"],
    ["says why there is no list", copy("pods", false, Infinity, "403 Forbidden"), "not listed yet: 403 Forbidden"],
    ["is there while the apiserver confirms the copy", copy("pods", true, 60_000), undefined],
    ["outlasts an error", copy("pods", true, 60_000, "connection reset"), undefined],
    [
      "is lost with a copy that nobody confirms",
      copy("pods", true, 300_001, "connection reset"),
      "not confirmed by the apiserver for 300 s: connection reset",
    ],
  ])("%s", (_, state, fault) => {
    expect(freshnessChecks([{ copies: [state] }]).pods?.()).toBe(fault);
  });

  it("tells namespaces apart", () => {
    const copies = [copy("pods in a", true, 0), copy("pods in b", false, Infinity)];
    const checks = freshnessChecks([{ copies }]);
    expect(Object.entries(checks).map(([name, check]) => [name, check()])).toEqual([
      ["pods in a", undefined],
      ["pods in b", "not listed yet"],
    ]);
  });
});
