import { parseArgs } from "node:util";

/** What is measured, and how long. */
export interface BenchOptions {
  /** Numbers of objects, each on an apiserver of its own. */
  readonly instances: readonly number[];
  /** Files of further contenders. */
  readonly contenders: readonly string[];
  readonly podDelayMs: number;
  readonly idleSeconds: number;
  /** Pods of each kind of mishap. */
  readonly reactions: number;
  /** Creations and deletions; 0 = none. */
  readonly cycles: number;
  /** Take CPU profiles, which themselves cost time and memory. */
  readonly profile: boolean;
}

/** What `--help` says. */
export const USAGE = `Measures the operator on a real apiserver with a node that is none.

  --instances 100,1000     how many objects, each number on an apiserver of its own (default 100,500,1000,5000)
  --contender FILE         measure another operator beside ours; may be given several times
  --pod-delay MS           how long a pod takes to become ready (default 0)
  --idle SECONDS           length of the window in which nothing happens (default 30). Outside of a short one falls what ours does by itself:
                           status writes held back (up to 60 s), second calls of gateways (180 s), the sweep (600 s)
  --reactions COUNT        pods that fail, are evicted, run out of memory and are deleted, of each (default 50)
  --cycles COUNT           creations and deletions over which memory has to stay flat (default 0: left out)
  --profile                take CPU profiles and say where the time went; its figures are not for comparison
`;

/** @throws TypeError for what is no option or has no sense. */
export function parseOptions(args: readonly string[]): BenchOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      instances: { type: "string", default: "100,500,1000,5000" },
      contender: { type: "string", multiple: true, default: [] },
      "pod-delay": { type: "string", default: "0" },
      idle: { type: "string", default: "30" },
      reactions: { type: "string", default: "50" },
      cycles: { type: "string", default: "0" },
      profile: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    instances: values.instances.split(",").map((text) => count("instances", text, 1)),
    contenders: values.contender,
    podDelayMs: count("pod-delay", values["pod-delay"]),
    idleSeconds: count("idle", values.idle),
    reactions: count("reactions", values.reactions),
    cycles: count("cycles", values.cycles),
    profile: values.profile,
  };
}

function count(name: string, text: string, min = 0): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isSafeInteger(value) || value < min) {
    throw new TypeError(`--${name}: "${text}" is no whole number from ${min} up`);
  }
  return value;
}
