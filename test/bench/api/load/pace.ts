import { type Alarm, createAlarm, now } from "#test/bench/kit/alarm.ts";

/**
 * Calls `start` once for each of the times (milliseconds from now on, ascending), never waiting for what it started: who is slow to
 * answer is asked no less. It is given the time it should have been called at.
 */
export async function pace(times: readonly number[], start: (index: number, dueAt: number) => void): Promise<void> {
  const begun = now();
  const { promise, resolve } = Promise.withResolvers<void>();
  let next = 0;
  const alarm: Alarm = createAlarm(proceed);
  function proceed() {
    for (let due = times[next]; due !== undefined && begun + due <= now(); due = times[next]) {
      start(next, begun + due);
      next += 1;
    }
    const due = times[next];
    if (due === undefined) resolve();
    else alarm.set(begun + due);
  }
  proceed();
  await promise;
  await alarm.stop();
}
