import type { Scenario } from "../scenario.ts";

/** Where requests go, and as whom: user `user-<i>` for each `i` below `users`, in turn. */
export interface Target {
  readonly origin: string;
  readonly readPath: string;
  readonly turnPath: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly users: number;
}

/** Reads on a schedule, `perSecond` in all over this many connections. */
export interface ReadsJob {
  readonly kind: "reads";
  readonly target: Target;
  readonly connections: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly seed: number;
}

/** Opens streams, some a second, and holds them. */
export interface OpenJob {
  readonly kind: "open";
  readonly target: Target;
  readonly scenario: Scenario;
  readonly count: number;
  readonly perSecond: number;
  /** Stop reading after the head. */
  readonly reads: boolean;
}

/** Looks at the streams that are open for a while, and starts short ones on a schedule beside them. */
export interface WatchJob {
  readonly kind: "watch";
  readonly target: Target;
  readonly seconds: number;
  /** Short streams started a second. */
  readonly turnsPerSecond: number;
  readonly seed: number;
}

/** Leaves all streams. */
export interface CloseJob {
  readonly kind: "close";
}

/** What the load process is asked for. */
export type Job = ReadsJob | OpenJob | WatchJob | CloseJob;

/** Milliseconds of each answer, from when it was due to be asked for; and what went wrong instead. */
export interface Samples {
  readonly ms: Float64Array;
  readonly failures: readonly string[];
}

/** What became of streams that were watched. */
export interface Watched {
  /** From when a short stream was due to be asked for to its first event. */
  readonly firstEvents: Samples;
  /** From when an event left the upstream to when it came. */
  readonly events: Samples;
}

/** The answer to each kind of job. */
export interface Results {
  reads: Samples;
  /** Failures. */
  open: readonly string[];
  watch: Watched;
  close: undefined;
}
