import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Clients, connectClients } from "./clients.ts";
import { DISTURBANCES, type Disturbance } from "./disturbances.ts";
import { findBroken, INVARIANTS } from "./invariants/invariants.ts";
import { usefulWrites } from "./invariants/useful-writes.ts";
import { startRecords } from "./records.ts";
import { runDisturbed, runInPeace, type State } from "./run.ts";
import { SCENARIOS, type Scenario } from "./scenarios.ts";
import { prepareSites } from "./site.ts";

/** One of each sort: something new, a replacement that people ask for, one that they do not, and an end. */
const PLAYED: readonly Scenario[] = SCENARIOS.filter(({ name }) =>
  ["a create", "another image and configuration", "a failed pod", "a delete with the volume"].includes(name),
);

let clients: Clients;
const peaceful = new Map<Scenario, State>();

beforeAll(async () => {
  clients = connectClients();
  await prepareSites(clients.admin);
  await Promise.all(PLAYED.map(async (scenario) => peaceful.set(scenario, await runInPeace(clients, scenario))));
});
afterAll(() => clients.close());

/** Two that do not know of each other may both write what one alone would have written once. */
function checkersFor({ operators = 1 }: Disturbance) {
  return operators === 1 ? INVARIANTS : INVARIANTS.filter((checker) => checker !== usefulWrites);
}

describe("an operator disturbed by", () => {
  it.each(DISTURBANCES)("$name comes to the same end", async (disturbance) => {
    const records = await startRecords();
    const ends = await Promise.all(PLAYED.map((scenario) => runDisturbed(clients, scenario, disturbance)));
    for (const [index, scenario] of PLAYED.entries())
      expect(ends[index], scenario.name).toEqual(peaceful.get(scenario));
    const { losesAnswers: lostAnswers = false, operators = 1 } = disturbance;
    const audit = await records.audit({ lostAnswers, operators });
    expect(findBroken(audit, checkersFor(disturbance))).toEqual([]);
  });
});
