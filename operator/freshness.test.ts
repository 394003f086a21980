import { describe, expect, it } from "vitest";
import type { Informer } from "#lib/kube/informer.ts";
import { PODS } from "#lib/kube/resource.ts";
import { freshnessChecks } from "./freshness.ts";

/** Only what the check looks at. */
function informer(hasSynced: boolean, ageMs: number): Informer {
  return { type: PODS, hasSynced, lastSyncAgeMs: () => ageMs } as Informer;
}

describe("readiness", () => {
  it.each([
    ["is not there before the first list", informer(false, Infinity), "not listed yet"],
    ["is there while the apiserver confirms the copy", informer(true, 60_000), undefined],
    ["is lost with a copy that nobody confirms", informer(true, 300_001), "not confirmed by the apiserver for 300 s"],
  ])("%s", (_, cache, fault) => {
    expect(freshnessChecks([cache]).pods?.()).toBe(fault);
  });
});
