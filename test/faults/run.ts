import { inject } from "vitest";
import type { RunningOperator } from "#operator/operator.fixture.ts";
import { startFaultProxy } from "#test/harness/fault-proxy/proxy.ts";
import type { Clients } from "./clients.ts";
import type { Disturbance } from "./disturbances.ts";
import { describeState, readObjects, uidsOf } from "./end-state.ts";
import { createMortalClient, type Death } from "./mortal-client.ts";
import type { Scenario } from "./scenarios.ts";
import { openSite, type Site } from "./site.ts";

/** What is there in the end: the same in every run of a scenario in which all goes well. */
export type State = Record<string, unknown>;

/** Plays a scenario in peace. */
export async function runInPeace(clients: Clients, scenario: Scenario): Promise<State> {
  return run(clients, scenario, {});
}

/** How a run with a death went. */
export interface DeathRun {
  /** Writes of the first operator from the scenario's act on. */
  readonly writes: number;
  readonly died: boolean;
  readonly state: State;
}

/**
 * Plays a scenario with an operator that dies at its `count`-th write (0: before it hears of anything), without a word and
 * without a clean stop. Then a new one starts and has to bring about what is still to be done. An operator that comes to its
 * end before stays alive.
 */
export async function runToDeath(clients: Clients, scenario: Scenario, death: Death, count: number): Promise<DeathRun> {
  const mortal = createMortalClient(clients.operator);
  let died = false;
  const state = await run(clients, scenario, {
    operate: async (site) => [await site.operate({ client: mortal.client })],
    disturb: () => mortal.arm(death, count),
    async meanwhile(site, done, [first]) {
      const over = new AbortController();
      const ended = done.then(() => site.settled(over.signal)).then(() => false);
      // It waits for the dead one, too, and is given up with it.
      ended.catch(() => undefined);
      died = await Promise.race([mortal.died.then(() => true), ended]);
      if (!died) return;
      over.abort();
      await first?.stop();
      await site.operate();
    },
  });
  return { writes: mortal.writes, died, state };
}

/** Plays a scenario with operators that reach the apiserver through a proxy which disturbs them. */
export async function runDisturbed(clients: Clients, scenario: Scenario, o: Disturbance): Promise<State> {
  const { operators = 1 } = o;
  const proxy = await startFaultProxy(inject("kubeconfig"));
  const { kubeconfig } = proxy;
  try {
    return await run(clients, scenario, {
      operate: (site) => Promise.all(Array.from({ length: operators }, () => site.operate({ kubeconfig }))),
      disturb({ clock }) {
        clock.waitFor(() => proxy.answered());
        o.begin({ proxy, clock });
      },
      meanwhile: async ({ clock }, done) => o.end?.({ proxy, clock }, done),
    });
  } finally {
    await proxy.close();
  }
}

interface Steps {
  /** Starts the operators that are there from the beginning. */
  operate?(site: Site): Promise<RunningOperator[]>;
  /** Between the preparation and the act. */
  disturb?(site: Site): void;
  /** After the act; `done` resolves when all has come about. */
  meanwhile?(site: Site, done: Promise<unknown>, operators: RunningOperator[]): Promise<void>;
}

async function run(clients: Clients, scenario: Scenario, steps: Steps): Promise<State> {
  const { admin } = clients;
  const site = await openSite(clients, scenario.classSpec);
  try {
    const first = (await steps.operate?.(site)) ?? [await site.operate()];
    const before = await scenario.prepare(site);
    await site.settled();
    const uids = uidsOf(await readObjects(admin, site.namespace));
    steps.disturb?.(site);
    await scenario.act(site);
    const done = scenario.done(site, before);
    await Promise.all([done, steps.meanwhile?.(site, done, first)]);
    await site.settled();
    return describeState(await readObjects(admin, site.namespace), uids, site.namespace);
  } finally {
    await site.close();
  }
}
