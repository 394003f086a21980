import { describe, expect, it } from "vitest";
import { type Condition, findCondition, isConditionTrue, setCondition } from "./conditions.ts";

const T1 = "2026-01-01T00:00:00Z";
const T2 = "2026-01-01T00:05:00Z";
const ready = { type: "Ready", status: "False", reason: "Starting", message: "wait" } as const;

describe("conditions", () => {
  it("appends a condition of a new type and leaves the others alone", () => {
    const one = setCondition(undefined, ready, T1);
    const two = setCondition(one, { ...ready, type: "Stored" }, T2);
    expect(two.map((condition) => condition.type)).toEqual(["Ready", "Stored"]);
    expect(two[0]).toEqual({ ...ready, lastTransitionTime: T1 });
  });

  it("moves lastTransitionTime only when the status flips", () => {
    const list = setCondition([], ready, T1);
    const reworded = setCondition(list, { ...ready, reason: "Pulling", message: "still", observedGeneration: 2 }, T2);
    expect(reworded).toEqual([
      {
        ...ready,
        reason: "Pulling",
        message: "still",
        observedGeneration: 2,
        lastTransitionTime: T1,
      },
    ]);
    const flipped = setCondition(reworded, { ...ready, status: "True" }, T2);
    expect(findCondition(flipped, "Ready")?.lastTransitionTime).toBe(T2);
  });

  it("makes an equal list from an equal condition and never changes its input", () => {
    const list: readonly Condition[] = Object.freeze(setCondition([], ready, T1).map((c) => Object.freeze(c)));
    expect(setCondition(list, ready, T2)).toEqual(list);
    expect(setCondition(list, { ...ready, status: "Unknown" }, T2)).not.toEqual(list);
  });

  it("drops an observedGeneration that the new condition does not carry", () => {
    const list = setCondition([], { ...ready, observedGeneration: 3 }, T1);
    expect(setCondition(list, ready, T2)[0]).not.toHaveProperty("observedGeneration");
  });

  it("tells true from false, unknown and missing", () => {
    expect(isConditionTrue(setCondition([], { ...ready, status: "True" }, T1), "Ready")).toBe(true);
    expect(isConditionTrue(setCondition([], { ...ready, status: "Unknown" }, T1), "Ready")).toBe(false);
    expect(isConditionTrue(setCondition([], ready, T1), "Ready")).toBe(false);
    expect(isConditionTrue(undefined, "Ready")).toBe(false);
  });
});
