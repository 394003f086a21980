import { expect, it } from "vitest";
import { sleep } from "#lib/clock.ts";
import { ElasticClock } from "./elastic-clock.ts";

const MINUTE_MS = 60_000;

it("an elastic clock runs timers of minutes in order when minutes are skipped, and leaves the later ones", async () => {
  const clock = new ElasticClock();
  const ran: string[] = [];
  const begun = clock.monotonic();
  clock.setTimer(() => ran.push(`late ${Math.floor((clock.monotonic() - begun) / MINUTE_MS)}`), 3 * MINUTE_MS);
  clock.setTimer(() => ran.push(`soon ${Math.floor((clock.monotonic() - begun) / MINUTE_MS)}`), MINUTE_MS);
  clock.setTimer(() => ran.push("later"), 5 * MINUTE_MS);
  const cancel = clock.setTimer(() => ran.push("never"), MINUTE_MS);
  cancel();
  await clock.skip(4 * MINUTE_MS);
  expect(ran).toEqual(["soon 1", "late 3"]);
  expect(clock.now() - Date.now()).toBeLessThan(MINUTE_MS);
});

it("an elastic clock skips nothing while something is under way", async () => {
  const clock = new ElasticClock();
  const underWay = Promise.withResolvers<void>();
  let rang = false;
  clock.setTimer(() => {
    rang = true;
  }, MINUTE_MS);
  clock.waitFor(() => underWay.promise);
  const skipped = clock.skip(MINUTE_MS);
  await new Promise((resolve) => setImmediate(resolve));
  expect(rang).toBe(false);
  underWay.resolve();
  await skipped;
  expect(rang).toBe(true);
});

it("an elastic clock goes on by itself, and what it is set to does not touch its timers", async () => {
  const clock = new ElasticClock();
  const before = clock.now();
  const slept = sleep(clock, 5);
  clock.jump(-60 * MINUTE_MS);
  await slept;
  expect(clock.now()).toBeLessThan(before - 59 * MINUTE_MS);
});
