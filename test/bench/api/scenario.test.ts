import { describe, expect, it } from "vitest";
import { EventReader, readScenario, renderEvent, turnBody } from "./scenario.ts";

describe("a turn of the bench", () => {
  it("tells the upstream how to answer", () => {
    const scenario = { kind: "events", perSecond: 50 } as const;
    expect(readScenario(turnBody(scenario))).toEqual(scenario);
    expect(() => readScenario("{}")).toThrow("no scenario");
  });
});

describe("events", () => {
  const text = `${renderEvent(12.345)}: keep-alive\n\n${renderEvent(1e9)}`;

  it.each([1, 7, text.length])("say when they were sent, also in pieces of %d", (size) => {
    const reader = new EventReader();
    const found: number[] = [];
    for (let at = 0; at < text.length; at += size) found.push(...reader.push(text.slice(at, at + size)));
    expect(found).toEqual([12.345, 1e9]);
  });

  it("count when they are whole", () => {
    const reader = new EventReader();
    expect(reader.push(renderEvent(5).slice(0, -1))).toEqual([]);
    expect(reader.push("\n")).toEqual([5]);
  });
});
