import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Clients, connectClients } from "./clients.ts";
import { findBroken } from "./invariants/invariants.ts";
import type { Death } from "./mortal-client.ts";
import { startRecords } from "./records.ts";
import { runToDeath, type State } from "./run.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";
import { prepareSites } from "./site.ts";

/** Runs at a time; they mostly wait for the apiserver. */
const PARALLEL = 8;

let clients: Clients;

beforeAll(async () => {
  clients = connectClients();
  await prepareSites(clients.admin);
});
afterAll(() => clients.close());

/** Every death there is, at rest and before and after each of about so many writes: until a run ends before its death would come. */
async function runAllDeaths(scenario: Scenario, writes: number): Promise<Map<string, State>> {
  const ends = new Map<string, State>();
  async function die(death: Death, count: number): Promise<void> {
    const { died, state } = await runToDeath(clients, scenario, death, count);
    if (!died) return;
    ends.set(count === 0 ? "at rest" : `${death} write ${count}`, state);
    if (count > writes) await die(death, count + 1);
  }
  const counts = Array.from({ length: writes + 1 }, (_, index) => index + 1);
  const deaths: { death: Death; count: number }[] = [
    { death: "before", count: 0 },
    ...counts.flatMap((count) => (["before", "after"] as const).map((death) => ({ death, count }))),
  ];
  const lane = async () => {
    for (let next = deaths.shift(); next; next = deaths.shift()) await die(next.death, next.count);
  };
  await Promise.all(Array.from({ length: PARALLEL }, lane));
  return ends;
}

describe("an operator that dies at any write", () => {
  it.for(SCENARIOS)("of $name is followed by one that comes to the same end", async (scenario, { annotate }) => {
    const records = await startRecords();
    const peaceful = await runToDeath(clients, scenario, "before", Number.POSITIVE_INFINITY);
    const ends = await runAllDeaths(scenario, peaceful.writes);
    await annotate(`${ends.size} deaths around ${peaceful.writes} writes`);
    expect(ends.size).toBeGreaterThan(2 * peaceful.writes);
    for (const [death, state] of ends) expect(state, `death ${death}`).toEqual(peaceful.state);
    expect(findBroken(await records.audit())).toEqual([]);
  });
});
