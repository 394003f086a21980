import type { SelfTime } from "../kit/cpu-profile.ts";

/** Times of many requests or events, in milliseconds. */
export interface Quantiles {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

/** One look at a proxy. */
export interface Round {
  /** Share (0 to 1) of the proxy's core that others took meanwhile. */
  readonly disturbed: number;
}

/** Answers on a schedule over some connections. */
export interface LatencyRound extends Round {
  readonly connections: number;
  readonly answers: Quantiles;
}

/** As many requests as it can answer. */
export interface ThroughputRound extends Round {
  readonly perSecond: number;
  /** CPU time of the proxy for each request, in microseconds; undefined where there is no proxy. */
  readonly cpuMicros: number | undefined;
}

/** Streams with events. */
export interface StreamsRound extends Round {
  /** To the first event of a stream that is started beside the others. */
  readonly firstEvents: Quantiles;
  readonly events: Quantiles;
  /** Events while some clients read nothing of a large answer. */
  readonly eventsBesideSlow: Quantiles;
  /** CPU time of the proxy for each event, in microseconds. */
  readonly cpuMicros: number | undefined;
  /** What the proxy grew by at most while those clients read nothing. */
  readonly slowGrowthBytes: number | undefined;
  /** What the upstream got rid of for each of them: in the proxy, and in the sockets' buffers. */
  readonly slowTakenBytes: number;
}

/** Streams without events. */
export interface Quiet {
  readonly count: number;
  readonly emptyRssBytes: number;
  readonly rssBytes: number;
  /** CPU time while nothing happened, as a share (0 to 1) of a core. */
  readonly cpuShare: number;
}

/** All that was measured of one proxy. */
export interface Measurements {
  readonly contender: string;
  readonly latency: LatencyRound[];
  readonly throughput: ThroughputRound[];
  readonly streams: StreamsRound[];
  quiet?: Quiet;
  profile?: readonly SelfTime[];
}
