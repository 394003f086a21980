import { now } from "#test/bench/kit/alarm.ts";
import { seededRandom } from "#test/harness/seeded-random.ts";
import { EventReader, turnBody } from "../scenario.ts";
import { arrivals } from "./arrivals.ts";
import { type Connection, connect } from "./connection.ts";
import type { OpenJob, Samples, Watched, WatchJob } from "./jobs.ts";
import { pace } from "./pace.ts";
import { openPool } from "./pool.ts";

/** Connections for the short streams; each lasts a moment only. */
const SHORT_CONNECTIONS = 20;

/** The streams that are open. */
export function createStreams() {
  const open: Connection[] = [];
  /** Where delays of events go while somebody watches. */
  let delays: number[] | undefined;
  /** Of streams that were open, since the last watch. */
  let failures: string[] = [];

  function readEvents(): (chunk: Buffer) => void {
    const reader = new EventReader();
    return (chunk) => {
      const came = now();
      for (const sent of reader.push(chunk.toString("latin1"))) delays?.push(came - sent);
    };
  }

  /** Opens one stream; resolves with its head, or with what went wrong. */
  function openOne({ target, scenario, reads }: OpenJob, index: number): Promise<string | undefined> {
    const connection = connect(target, index);
    open.push(connection);
    const onData = reads ? readEvents() : () => undefined;
    let isOpen = false;
    return new Promise((resolve) => {
      connection.post(target.turnPath, turnBody(scenario), {
        onHead(controller) {
          if (!reads) controller.pause();
          isOpen = true;
          resolve(undefined);
        },
        onData,
        onEnd(failure = "a stream ended") {
          if (isOpen) failures.push(failure);
          resolve(failure);
        },
      });
    });
  }

  return {
    async open(job: OpenJob): Promise<string[]> {
      const times = Array.from({ length: job.count }, (_, index) => (index * 1000) / job.perSecond);
      const opened: Promise<string | undefined>[] = [];
      const first = open.length;
      await pace(times, (index) => opened.push(openOne(job, first + index)));
      return (await Promise.all(opened)).filter((failure) => failure !== undefined);
    },

    async watch({ target, seconds, turnsPerSecond, seed }: WatchJob): Promise<Watched> {
      delays = [];
      const firstEvents = await runTurns(target, { perSecond: turnsPerSecond, seconds, random: seededRandom(seed) });
      const events: Samples = { ms: Float64Array.from(delays), failures };
      [delays, failures] = [undefined, []];
      return { firstEvents, events };
    },

    async close(): Promise<void> {
      await Promise.all(open.splice(0).map((connection) => connection.close()));
    },
  };
}

/** Short streams on a schedule, each timed to its first event from when it was due to be asked for. */
async function runTurns(target: WatchJob["target"], schedule: Parameters<typeof arrivals>[0]): Promise<Samples> {
  const pool = await openPool(target, SHORT_CONNECTIONS);
  const times = [...arrivals(schedule), schedule.seconds * 1000];
  const ms: number[] = [];
  const failures: string[] = [];
  const body = turnBody({ kind: "once" });
  const turns: Promise<void>[] = [];
  await pace(times, (_, dueAt) => {
    turns.push(
      new Promise((resolve) => {
        pool.borrow((connection, release) => {
          const reader = new EventReader();
          let isFirst = true;
          connection.post(target.turnPath, body, {
            onData(chunk) {
              if (!isFirst || reader.push(chunk.toString("latin1")).length === 0) return;
              isFirst = false;
              ms.push(now() - dueAt);
            },
            onEnd(failure = isFirst ? "a stream without an event" : undefined) {
              if (failure !== undefined) failures.push(failure);
              release();
              resolve();
            },
          });
        });
      }),
    );
  });
  await Promise.all(turns);
  await pool.close();
  return { ms: Float64Array.from(ms), failures };
}
