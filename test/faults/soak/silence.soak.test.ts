import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { step } from "#test/cluster/progress.ts";
import { type Clients, connectClients } from "../clients.ts";
import { silent } from "../disturbances.ts";
import { findBroken } from "../invariants/invariants.ts";
import { startRecords } from "../records.ts";
import { runDisturbed, runInPeace } from "../run.ts";
import { SCENARIOS } from "../scenarios.ts";
import { prepareSites } from "../site.ts";

const SECONDS = Number(process.env.SOAK_SILENCE_SECONDS ?? 300);

let clients: Clients;

beforeAll(async () => {
  clients = connectClients();
  await prepareSites(clients.admin);
});
afterAll(() => clients.close());

it(`an apiserver that is silent for ${SECONDS} s by any clock is waited out, in every scenario`, async () => {
  const peaceful = await Promise.all(SCENARIOS.map((scenario) => runInPeace(clients, scenario)));
  const records = await startRecords();
  const recoveries: number[] = [];
  const silence = silent(
    "silence",
    () => pause(SECONDS * 1000),
    async (_clock, done) => {
      const heardAt = performance.now();
      await done;
      recoveries.push((performance.now() - heardAt) / 1000);
    },
  );
  const ends = await step(`silence of ${SECONDS} s for ${SCENARIOS.length} operators`, () =>
    Promise.all(SCENARIOS.map((scenario) => runDisturbed(clients, scenario, silence))),
  );
  for (const [index, { name }] of SCENARIOS.entries()) expect(ends[index], name).toEqual(peaceful[index]);
  expect(findBroken(await records.audit({ lostAnswers: true }))).toEqual([]);
  const [first, last] = [Math.min(...recoveries), Math.max(...recoveries)].map((seconds) => seconds.toFixed(1));
  console.log(`soak | silence | ${SECONDS} s, ${SCENARIOS.length} scenarios: done ${first} to ${last} s after it`);
});
