import { describe, expect, it } from "vitest";
import { summariseProfile } from "./cpu-profile.ts";

const frame = (functionName: string, url = "") => ({ functionName, url, lineNumber: 9 });

describe("a CPU profile", () => {
  it("comes to the time spent in each function itself, idle time aside", () => {
    const nodes = [
      { id: 1, callFrame: frame("(idle)") },
      { id: 2, callFrame: frame("reconcile", "file:///app/operator.mjs") },
      { id: 3, callFrame: frame("(garbage collector)") },
      // The same function, called from elsewhere.
      { id: 4, callFrame: frame("reconcile", "file:///app/operator.mjs") },
    ];
    const profile = { nodes, samples: [1, 2, 3, 4, 2], timeDeltas: [9e6, 1e6, 1e6, 1e6, 1e6] };
    expect(summariseProfile(profile, 5)).toEqual([
      { what: "reconcile operator.mjs:10", seconds: 3, share: 0.75 },
      { what: "(garbage collector)", seconds: 1, share: 0.25 },
    ]);
    expect(summariseProfile(profile, 1)).toHaveLength(1);
  });
});
