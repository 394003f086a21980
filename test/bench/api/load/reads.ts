import { now } from "#test/bench/kit/alarm.ts";
import { seededRandom } from "#test/harness/seeded-random.ts";
import { arrivals } from "./arrivals.ts";
import type { ReadsJob, Samples } from "./jobs.ts";
import { pace } from "./pace.ts";
import { openPool } from "./pool.ts";

/** Reads on a schedule. An answer's time counts from when it was due to be asked for, also while no connection was free. */
export async function runReads({ target, connections, perSecond, seconds, seed }: ReadsJob): Promise<Samples> {
  const pool = await openPool(target, connections);
  const times = arrivals({ perSecond, seconds, random: seededRandom(seed) });
  const ms = new Float64Array(times.length);
  const failures: string[] = [];
  let open = times.length;
  const { promise: all, resolve } = Promise.withResolvers<void>();
  await pace(times, (index, dueAt) => {
    pool.borrow((connection, release) => {
      connection.get(target.readPath, {
        onEnd(failure) {
          ms[index] = now() - dueAt;
          if (failure !== undefined) failures.push(failure);
          release();
          open -= 1;
          if (open === 0) resolve();
        },
      });
    });
  });
  if (times.length > 0) await all;
  await pool.close();
  return { ms, failures };
}
