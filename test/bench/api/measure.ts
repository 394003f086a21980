import { setTimeout as pause } from "node:timers/promises";
import { request } from "undici";
import { percentile } from "../kit/statistics.ts";
import type { Archive } from "./archive.ts";
import type { RunningContender } from "./contender.ts";
import type { Samples } from "./load/jobs.ts";
import type { LatencyRound, Quantiles, Quiet, StreamsRound, ThroughputRound } from "./measurements.ts";
import type { BenchOptions } from "./options.ts";
import type { Rig } from "./rig.ts";
import { TAKEN_PATH } from "./scenario.ts";
import { spend } from "./spent.ts";
import { runWrk } from "./wrk.ts";

/** Where a measurement takes place. */
export interface Site {
  readonly rig: Rig;
  readonly options: BenchOptions;
  readonly archive: Archive;
}

const EVENTS_PER_SECOND = 50;
/** Short streams a second beside the long ones. */
const TURNS_PER_SECOND = 20;
/** Streams are opened no faster, so that none meets a crowd. */
const OPENED_PER_SECOND = 200;
/** More than anything between two ends holds. */
const FLOOD_BYTES = 2 ** 30;
const LOOK_MS = 100;
const WARM_UP = { connections: 10, perSecond: 1000, seconds: 3, seed: 0 };

/** Lets the compiler do its work before anything counts. */
export async function warmUp({ rig }: Site, proxy: RunningContender): Promise<void> {
  const { failures } = await rig.load.run({ kind: "reads", target: proxy.target, ...WARM_UP });
  refuse(proxy, failures);
}

/** Times answers; all proxies are asked at the same times of a round. */
export async function measureLatency(
  { rig, options, archive }: Site,
  proxy: RunningContender,
  connections: number,
  round: number,
): Promise<LatencyRound> {
  const perSecond = options.rate * connections;
  const seed = 1000 * round + connections;
  const job = { kind: "reads", target: proxy.target, connections, perSecond, seconds: options.seconds, seed } as const;
  const { result, disturbed } = await spend(proxy, () => rig.load.run(job));
  const answers = await keep(archive, proxy, `latency-${connections}`, round, result);
  return { connections, answers, disturbed };
}

/** Asks as often as it is answered. */
export async function measureThroughput({ options }: Site, proxy: RunningContender): Promise<ThroughputRound> {
  const { result, cpuSeconds, disturbed } = await spend(proxy, () => runWrk(proxy.target, options.seconds));
  const cpuMicros = cpuSeconds === undefined ? undefined : (cpuSeconds * 1e6) / result.requests;
  return { perSecond: (result.requests * 1e6) / result.micros, cpuMicros, disturbed };
}

/** Times events of many streams, first by themselves, then beside clients that read nothing of a large answer. */
export async function measureStreams(site: Site, proxy: RunningContender, round: number): Promise<StreamsRound> {
  const { rig, options, archive } = site;
  const { target } = proxy;
  const opening = { kind: "open", target, perSecond: OPENED_PER_SECOND } as const;
  const watch = {
    kind: "watch",
    target,
    seconds: options.seconds,
    turnsPerSecond: TURNS_PER_SECOND,
    seed: round,
  } as const;
  const events = { kind: "events", perSecond: EVENTS_PER_SECOND } as const;
  refuse(proxy, await rig.load.run({ ...opening, scenario: events, count: options.streams, reads: true }));
  const { result, cpuSeconds, disturbed } = await spend(proxy, () => rig.load.run(watch));
  const before = { taken: await readTaken(rig), rss: (await proxy.usage())?.rssBytes };
  const flood = { kind: "flood", bytes: FLOOD_BYTES } as const;
  refuse(proxy, await rig.load.run({ ...opening, scenario: flood, count: options.slowReaders, reads: false }));
  const peak = followRss(proxy);
  const beside = await rig.load.run(watch);
  const highest = await peak.stop();
  const taken = (await readTaken(rig)) - before.taken;
  await rig.load.run({ kind: "close" });
  const delays = await keep(archive, proxy, "events", round, result.events);
  return {
    firstEvents: await keep(archive, proxy, "first-events", round, result.firstEvents),
    events: delays,
    eventsBesideSlow: await keep(archive, proxy, "events-beside-slow", round, beside.events),
    cpuMicros: cpuSeconds === undefined ? undefined : (cpuSeconds * 1e6) / delays.count,
    slowGrowthBytes: before.rss === undefined ? undefined : Math.max(0, highest - before.rss),
    slowTakenBytes: taken / options.slowReaders,
    disturbed,
  };
}

/** What streams cost that say nothing. The proxy is to be a new one: an old one has memory to spare. */
export async function measureQuiet({ rig, options }: Site, proxy: RunningContender): Promise<Quiet | undefined> {
  const empty = await proxy.usage();
  if (!empty) return undefined;
  const scenario = { kind: "quiet" } as const;
  const job = { kind: "open", target: proxy.target, scenario, reads: true, perSecond: OPENED_PER_SECOND } as const;
  refuse(proxy, await rig.load.run({ ...job, count: options.quiet }));
  const { cpuSeconds = 0 } = await spend(proxy, () => pause(options.quietSeconds * 1000));
  const full = await proxy.usage();
  await rig.load.run({ kind: "close" });
  return {
    count: options.quiet,
    emptyRssBytes: empty.rssBytes,
    rssBytes: full?.rssBytes ?? Number.NaN,
    cpuShare: cpuSeconds / options.quietSeconds,
  };
}

async function keep(
  archive: Archive,
  proxy: RunningContender,
  what: string,
  round: number,
  { ms, failures }: Samples,
): Promise<Quantiles> {
  refuse(proxy, failures);
  await archive.keep(`${what}-${proxy.name}-${round}`, ms);
  const sorted = Array.from(ms);
  return { count: ms.length, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

/** Figures of answers that were none are worth nothing. */
function refuse({ name }: RunningContender, failures: readonly string[]): void {
  if (failures.length > 0) throw new Error(`${name}: ${failures.length} failed, first: ${failures[0]}`);
}

async function readTaken({ upstream }: Rig): Promise<number> {
  const { body } = await request(`${upstream}${TAKEN_PATH}`);
  return Number(await body.text());
}

/** Looks at a proxy's memory until told to stop; then says the most it had. */
function followRss(proxy: RunningContender): { stop(): Promise<number> } {
  const end = new AbortController();
  const following = (async () => {
    let highest = 0;
    while (!end.signal.aborted) {
      highest = Math.max(highest, (await proxy.usage())?.rssBytes ?? 0);
      await pause(LOOK_MS);
    }
    return highest;
  })();
  return {
    stop() {
      end.abort();
      return following;
    },
  };
}
