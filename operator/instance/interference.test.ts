import { expect, it } from "vitest";
import { hadAllChildren } from "./interference.ts";
import { anInstance } from "./view.fixture.ts";

const lastReadyTime = "2026-11-23T10:00:00Z";
const failure = { step: "class", reason: "ClassNotFound", message: "m", since: lastReadyTime } as const;

it.each<[string, NonNullable<Parameters<typeof anInstance>[1]> | undefined, boolean]>([
  ["was well and is asked for the same", { lastReadyTime, observedGeneration: 1 }, true],
  ["is new", undefined, false],
  ["was never ready", { observedGeneration: 1 }, false],
  ["is asked for something else", { lastReadyTime, observedGeneration: 0 }, false],
  ["could not be carried out", { lastReadyTime, observedGeneration: 1, failure }, false],
])("an instance that %s had all its children: %3$s", (_, status, had) => {
  expect(hadAllChildren(anInstance({}, status))).toBe(had);
});
