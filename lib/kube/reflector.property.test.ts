import fc from "fast-check";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { ManualClock } from "#test/harness/manual-clock.ts";
import { type ListFault, ScriptedApiserver, type WatchFault } from "#test/harness/scripted-apiserver.ts";
import { type Change, createInformer } from "./informer.ts";
import { CONFIG_MAPS, type ConfigMap } from "./resource.ts";
import { compareVersions } from "./resource-version.ts";

type Step =
  | { do: "write-by-us"; name: string; value: string }
  | { do: "answers" }
  | { do: "write" | "delete" | "recreate"; name: string; value: string }
  | { do: "compact" | "settle" | "stutter" | "swap" }
  | { do: "lag" | "restore" | "wait" | "set-clock"; amount: number }
  | { do: "list-fault"; fault: ListFault }
  | { do: "watch-fault"; fault: WatchFault };

const name = fc.constantFrom("a", "b", "c", "d");
const value = fc.string({ maxLength: 3 });
const listFault = fc.constantFrom<ListFault>("network", "unauthorized", "server", "expired");
const watchFault = fc.record({
  kind: fc.constantFrom<WatchFault["kind"]>(
    "network",
    "unauthorized",
    "server",
    "expired",
    "expired-event",
    "error-event",
    "malformed",
    "end",
  ),
  after: fc.nat({ max: 3 }),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant("write" as const), name, value }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("write-by-us" as const), name, value }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("answers" as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("delete" as const, "recreate" as const), name, value }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("settle" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("compact" as const, "stutter" as const, "swap" as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("set-clock" as const),
      amount: fc.integer({ min: -3_600_000, max: 3_600_000 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), amount: fc.nat({ max: 60_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lag" as const), amount: fc.nat({ max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("restore" as const), amount: fc.nat({ max: 5 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("list-fault" as const), fault: listFault }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("watch-fault" as const), fault: watchFault }) },
);

/** Far beyond the longest back-off and everything it may take in a row. */
const QUIET_MS = 30 * 60_000;

describe("the reflector", () => {
  it("ends with the server's state after any history of writes and faults, and tells each change once and in order", async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), run), { numRuns: 500 });
  });
});

async function run(steps: Step[]): Promise<void> {
  const server = new ScriptedApiserver();
  const clock = new ManualClock();
  const log = pino({ level: "silent" });
  const informer = createInformer({ client: server.client, type: CONFIG_MAPS, clock, log, random: () => 0.5 });
  const mirror = createMirror(server);
  informer.onChange(mirror.follow);
  const stop = new AbortController();
  const running = informer.run(stop.signal);

  /** Answers to our own writes that are still on their way: the watch may be faster or slower than they. */
  let answers: ConfigMap[] = [];
  const takeAnswers = () => {
    for (const answer of answers) informer.assume(answer);
    answers = [];
  };
  let assumed = false;
  for (const one of steps) {
    if (one.do === "write-by-us") {
      assumed = true;
      answers.push(server.write(one.name, one.value));
      continue;
    }
    if (one.do === "answers") {
      takeAnswers();
      continue;
    }
    // A write that the server confirmed and then lost in a restore, before any watch showed it, cannot be told from one
    // that the watch has yet to show: Kubernetes' own advice is to restart all controllers after a restore.
    if (one.do !== "restore" || !assumed) await act(server, clock, one, mirror.forgetVersions);
  }
  takeAnswers();
  server.listFaults.length = 0;
  server.watchFaults.length = 0;
  server.swaps = false;
  await clock.advance(QUIET_MS);

  const wanted = Object.fromEntries(server.state());
  expect(Object.fromEntries(informer.list().map((object) => [`default/${object.metadata.name}`, object]))).toEqual(
    wanted,
  );
  expect(Object.fromEntries(mirror.objects)).toEqual(wanted);
  expect(informer.hasSynced).toBe(true);

  stop.abort();
  await running;
  expect(clock.pending).toBe(0);
}

async function act(
  server: ScriptedApiserver,
  clock: ManualClock,
  one: Exclude<Step, { do: "write-by-us" | "answers" }>,
  onRestore: () => void,
): Promise<void> {
  switch (one.do) {
    case "write":
      server.write(one.name, one.value);
      return;
    case "delete":
      server.delete(one.name);
      return;
    case "recreate":
      server.delete(one.name);
      server.write(one.name, one.value);
      return;
    case "compact":
      server.compact();
      return;
    case "stutter":
      server.stutters = !server.stutters;
      return;
    case "swap":
      server.swaps = !server.swaps;
      return;
    case "set-clock":
      clock.jump(one.amount);
      return;
    case "lag":
      server.lag = one.amount;
      return;
    case "restore":
      server.restore(one.amount);
      onRestore();
      // Time to notice: once as many revisions were made anew, nothing shows that they are not the old ones.
      await clock.advance(QUIET_MS);
      return;
    case "list-fault":
      server.listFaults.push(one.fault);
      return;
    case "watch-fault":
      server.watchFaults.push(one.fault);
      return;
    case "settle":
    case "wait":
      await clock.advance(one.do === "wait" ? one.amount : 0);
      return;
  }
}

/** Rebuilds the state from the changes alone, and refuses a change that does not follow from the ones before. */
function createMirror(server: ScriptedApiserver) {
  const objects = new Map<string, ConfigMap>();
  /** How many lists there had been when a key was last told of. */
  const lists = new Map<string, number>();
  let restored = false;
  return {
    objects,
    forgetVersions: () => {
      restored = true;
    },
    follow: ({ key, type, object, previous }: Change<ConfigMap>) => {
      const held = objects.get(key);
      // Only a list that begins anew may tell what was told before.
      if (type === "updated" && lists.get(key) === server.lists) expect(object).not.toEqual(held);
      lists.set(key, server.lists);
      if (type === "added") {
        expect(held).toBeUndefined();
        objects.set(key, object);
        return;
      }
      expect(held).toBeDefined();
      expect(previous).toEqual(held);
      expect(object.metadata.uid).toBe(held?.metadata.uid);
      const { resourceVersion } = object.metadata;
      if (!restored) expect(compareVersions(resourceVersion, held?.metadata.resourceVersion)).toBeGreaterThanOrEqual(0);
      if (type === "updated") objects.set(key, object);
      else objects.delete(key);
    },
  };
}
