import { Worker } from "node:worker_threads";

/** Milliseconds of a clock that all processes of this machine share; with fractions. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Wakes this thread at a time given more finely than a timer takes it, which knows whole milliseconds only. */
export interface Alarm {
  /** Rings once at this time of {@link now}, or at once when it has passed; what was set before is forgotten. */
  set(at: number): void;
  stop(): Promise<void>;
}

/** Cells of the memory shared with the sleeper. */
const GENERATION = 0;

/** Sleeps in a thread of its own: in this one it would hold up everything else. */
const SLEEPER = `
const { parentPort, workerData } = require("node:worker_threads");
const generation = new Int32Array(workerData, 0, 1);
const at = new Float64Array(workerData, 8, 1);
const now = () => Number(process.hrtime.bigint()) / 1e6;
let seen = 0;
for (;;) {
  const current = Atomics.load(generation, ${GENERATION});
  if (current < 0) break;
  if (current === seen) { Atomics.wait(generation, ${GENERATION}, current); continue; }
  const left = at[0] - now();
  // Another time may be set while this one is waited for.
  if (left > 0 && Atomics.wait(generation, ${GENERATION}, current, left) !== "timed-out") continue;
  seen = current;
  parentPort.postMessage(null);
}
`;

/** An alarm that calls `ring`. A ring may come after a newer time was set: look at the clock. */
export function createAlarm(ring: () => void): Alarm {
  const memory = new SharedArrayBuffer(16);
  const generation = new Int32Array(memory, 0, 1);
  const time = new Float64Array(memory, 8, 1);
  const sleeper = new Worker(SLEEPER, { eval: true, workerData: memory });
  sleeper.on("message", ring);
  return {
    set(at) {
      time[0] = at;
      Atomics.add(generation, GENERATION, 1);
      Atomics.notify(generation, GENERATION);
    },
    async stop() {
      Atomics.store(generation, GENERATION, -1);
      Atomics.notify(generation, GENERATION);
      await sleeper.terminate();
    },
  };
}
