import { parseArgs } from "node:util";

/** What can be measured, in this order. */
export const PARTS = ["latency", "throughput", "streams", "quiet"] as const;
/** One of {@link PARTS}. */
export type Part = (typeof PARTS)[number];

/** The proxies beside ours. */
export const PEERS = ["nginx", "configurable-http-proxy"] as const;
/** One of {@link PEERS}. */
export type Peer = (typeof PEERS)[number];

/** What is measured, and how long. */
export interface BenchOptions {
  readonly parts: readonly Part[];
  readonly peers: readonly Peer[];
  /** Numbers of connections over which answers are timed. */
  readonly connections: readonly number[];
  /** Requests a second on each of them, in the mean. */
  readonly rate: number;
  /** Length of each measurement. */
  readonly seconds: number;
  /** How often each is done; all proxies take turns. */
  readonly rounds: number;
  /** Streams with 50 events a second each. */
  readonly streams: number;
  readonly slowReaders: number;
  /** Streams that say nothing. */
  readonly quiet: number;
  /** How long the quiet ones are held. */
  readonly quietSeconds: number;
  /** Instances, each of another user; streams are spread over them. */
  readonly users: number;
  /** Take CPU profiles of ours, which themselves cost time and memory. */
  readonly profile: boolean;
}

/** What `--help` says. */
export const USAGE = `Measures the API as a proxy beside others: on a real apiserver, before an upstream that stands for all gateways.

  --parts a,b              of ${PARTS.join(", ")} (default all)
  --peers a,b              of ${PEERS.join(", ")}, or none (default all)
  --connections 1,10       connections over which answers are timed (default 1,10,50,200)
  --rate COUNT             requests a second on each connection, in the mean (default 25)
  --seconds COUNT          length of each measurement (default 10)
  --rounds COUNT           times each measurement is done, all proxies by turns (default 3)
  --streams COUNT          streams with 50 events a second (default 200)
  --slow-readers COUNT     clients that read nothing of a large answer, beside those streams (default 10)
  --quiet COUNT            streams that say nothing (default 5000)
  --quiet-seconds COUNT    how long those are held before memory is read (default 30)
  --users COUNT            instances, each of another user (default 5000)
  --profile                take CPU profiles of ours and say where the time went; its figures are not for comparison
`;

/** @throws TypeError for what is no option or has no sense. */
export function parseOptions(args: readonly string[]): BenchOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      parts: { type: "string", default: PARTS.join(",") },
      peers: { type: "string", default: PEERS.join(",") },
      connections: { type: "string", default: "1,10,50,200" },
      rate: { type: "string", default: "25" },
      seconds: { type: "string", default: "10" },
      rounds: { type: "string", default: "3" },
      streams: { type: "string", default: "200" },
      "slow-readers": { type: "string", default: "10" },
      quiet: { type: "string", default: "5000" },
      "quiet-seconds": { type: "string", default: "30" },
      users: { type: "string", default: "5000" },
      profile: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    parts: choices("parts", values.parts, PARTS),
    peers: values.peers === "none" ? [] : choices("peers", values.peers, PEERS),
    connections: values.connections.split(",").map((text) => count("connections", text)),
    rate: count("rate", values.rate),
    seconds: count("seconds", values.seconds),
    rounds: count("rounds", values.rounds),
    streams: count("streams", values.streams),
    slowReaders: count("slow-readers", values["slow-readers"]),
    quiet: count("quiet", values.quiet),
    quietSeconds: count("quiet-seconds", values["quiet-seconds"]),
    users: count("users", values.users),
    profile: values.profile,
  };
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < 1) {
    throw new TypeError(`--${name}: "${text}" is no whole number from 1 up`);
  }
  return value;
}

function choices<T extends string>(name: string, text: string, known: readonly T[]): T[] {
  const given = text.split(",");
  const strange = given.find((word) => !known.some((one) => one === word));
  if (strange !== undefined) throw new TypeError(`--${name}: "${strange}" is none of ${known.join(", ")}`);
  return known.filter((one) => given.includes(one));
}
