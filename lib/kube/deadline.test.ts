import { expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { startDeadline } from "./deadline.ts";

it("a time limit is neither longer nor shorter for a clock that is set", async () => {
  const clock = new ManualClock();
  const deadline = startDeadline(clock, 1_000);
  clock.jump(-3_600_000);
  await clock.advance(400);
  expect(deadline.remainingMs()).toBe(600);
  clock.jump(7_200_000);
  expect([deadline.remainingMs(), deadline.expired]).toEqual([600, false]);
  await clock.advance(600);
  expect([deadline.remainingMs(), deadline.expired, deadline.signal.aborted]).toEqual([0, true, true]);
  deadline.stop();
});
