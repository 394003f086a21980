import { countReads, countWrites } from "#test/bench/kit/audit-tail.ts";
import type { Measurements } from "#test/bench/operator/measurements.ts";

/** What a part of a soak came to: its figures in one line, and what is wrong with them. */
export interface Outcome {
  readonly line: string;
  readonly faults: readonly string[];
}

const MB = 2 ** 20;
/** Memory that grows by more over the second half of the cycles is not flat. */
const FLAT = 1.05;

/** Judges the window in which nothing happened: nothing may be asked but for watches and the lease. */
export function judgeRest({ instances, idle }: Measurements): Outcome {
  const asked = countWrites(idle.requests) + countReads(idle.requests);
  const line = `rest | ${instances} instances, ${idle.seconds} s: ${asked} requests but renewals, ${idle.cpuSeconds.toFixed(1)} s CPU, ${megabytes(idle.rssBytes)}`;
  return { line, faults: asked === 0 ? [] : [`at rest the operator asked ${JSON.stringify(idle.requests)}`] };
}

/** Judges creations and deletions: memory has to stay flat. */
export function judgeCycles({ cycles }: Measurements): Outcome {
  if (!cycles) return { line: "cycles | none", faults: ["no cycle was run"] };
  const samples = cycles.rssBytes;
  const [half = 0, end = 0] = [0.5, 1].map((part) => samples[Math.ceil(part * samples.length) - 1]);
  const line = `cycles | ${cycles.count} creations and deletions: ${megabytes(half)} after half, ${megabytes(end)} at the end`;
  return { line, faults: end <= half * FLAT ? [] : [`memory grew from ${megabytes(half)} to ${megabytes(end)}`] };
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / MB)} MB RSS`;
}
