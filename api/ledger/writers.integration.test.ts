import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { sleep, systemClock } from "#lib/clock.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { verifyAudit } from "../audit/verify.ts";
import { readSnapshot } from "../store/snapshot.ts";
import type { Tables } from "../store/tables.ts";
import { type ApiProcess, apiEnvironment, startApiProcess } from "../testing/api-process.ts";
import { call } from "../testing/client.ts";
import { createTestDatabase, openDatabase, type TestDatabase } from "../testing/database.fixture.ts";
import { eventually } from "../testing/eventually.ts";
import { post } from "./ledger.fixture.ts";
import { verifyLedger } from "./verify.ts";
import { verifyGrants } from "./verify-grants.ts";

const WRITERS = 50;
const GRANTS_EACH = 4;
const ACCOUNTS = 5;
const RETRY_MS = 20;

let cluster: TestNamespace;
let database: TestDatabase;
let env: Record<string, string>;

beforeAll(async () => {
  cluster = await createTestNamespace(loadKubeAccess(inject("kubeconfig")), "writers");
  database = await createTestDatabase(inject("postgresPort"));
  const postgresPort = inject("postgresPort");
  const where = { kubeconfig: inject("kubeconfig"), namespace: cluster.namespace, postgresPort };
  env = {
    ...apiEnvironment({ ...where, database: database.config.database }),
    OA_ADMIN_USER_IDS: "root",
    RATE_PER_MINUTE: "1000000",
    RATE_BURST: "1000000",
  };
});

afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

interface Granted {
  created: boolean;
  entry: { id: string };
}

/** One try to grant; undefined when it has to be repeated: the replica was gone, or too busy. */
async function tryGrant({ url }: ApiProcess, body: object): Promise<Granted | undefined> {
  const options = { method: "POST", path: "/api/admin/credits", user: "root", body };
  const answer = await call(url, options).catch((error: NodeJS.ErrnoException) => {
    if (error.code === undefined) throw error;
  });
  if (!answer || answer.status === 503) return undefined;
  if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text}`);
  return (answer.json as { data: Granted }).data;
}

describe("the ledger", () => {
  it("counts every grant once, whoever writes at the same time and whoever dies meanwhile", async () => {
    /** Two replicas; the first one is killed and started again under the writers' hands. */
    const replicas: [ApiProcess, ApiProcess] = [await startApiProcess(env), await startApiProcess(env)];
    onTestFinished(async () => void (await Promise.all(replicas.map((replica) => replica.kill()))));
    let answered = 0;
    let failed = 0;

    async function grant(replica: 0 | 1, body: object): Promise<Granted> {
      for (;;) {
        const granted = await tryGrant(replicas[replica], body);
        if (granted) {
          answered += 1;
          return granted;
        }
        failed += 1;
        await sleep(systemClock, RETRY_MS);
      }
    }

    async function writer(number: number): Promise<void> {
      for (let n = 0; n < GRANTS_EACH; n++) {
        const body = {
          user_id: `user-${(number + n) % ACCOUNTS}`,
          amount_usd: (number + 1) / 100,
          idempotency_key: `grant-${number}-${n}`,
        };
        // The same to both at once, and once more when both have answered.
        const both = await Promise.all([grant(0, body), grant(1, body)]);
        const again = await grant(n % 2 === 0 ? 0 : 1, body);
        expect(again.created).toBe(false);
        expect(both.filter(({ created }) => created).length).toBeLessThanOrEqual(1);
        expect(new Set([...both, again].map(({ entry }) => entry.id)).size).toBe(1);
      }
    }

    /** Others write without the API: two pools, the same burns. */
    const pools = [openDatabase<Tables>(database.config), openDatabase<Tables>(database.config)];
    onTestFinished(async () => void (await Promise.all(pools.map((pool) => pool.destroy()))));
    async function burner(number: number): Promise<void> {
      const burn = { account: `human:user-${number % ACCOUNTS}`, kind: "burn" as const, amountMicroUsd: -1n };
      for (let n = 0; n < GRANTS_EACH; n++) {
        const key = { ...burn, idempotencyKey: `model:${number}-${n}` };
        const made = await Promise.all(pools.map((pool) => post(pool, key)));
        expect(made.filter(({ created }) => created)).toHaveLength(1);
      }
    }

    const writing = Promise.all([
      ...Array.from({ length: WRITERS }, (_, number) => writer(number)),
      ...Array.from({ length: WRITERS / 5 }, (_, number) => burner(number)),
    ]);
    await Promise.race([writing, eventually(() => answered).toBeGreaterThan(WRITERS)]);
    await replicas[0].kill();
    replicas[0] = await startApiProcess(env);
    await writing;
    expect(failed).toBeGreaterThan(0);

    const keys = WRITERS * GRANTS_EACH + (WRITERS / 5) * GRANTS_EACH;
    const cents = Array.from({ length: WRITERS }, (_, number) => (number + 1) * GRANTS_EACH);
    const expected = cents.reduce((sum, cent) => sum + cent, 0) * 10_000 - (WRITERS / 5) * GRANTS_EACH;
    const { rows } = await sql<{ entries: bigint; sum: string; balances: string; audited: bigint }>`
      select count(*) as entries, sum(amount_micro_usd)::text as sum,
        (select sum(balance_micro_usd)::text from ledger_accounts) as balances,
        (select count(*) from audit_events where action = 'credits.grant') as audited
      from ledger_entries`.execute(database.db);
    expect(rows).toEqual([
      {
        entries: BigInt(keys),
        sum: String(expected),
        balances: String(expected),
        audited: BigInt(WRITERS * GRANTS_EACH),
      },
    ]);
    const { signal } = new AbortController();
    const found = await readSnapshot(database.db, async (trx) => ({
      ledger: await verifyLedger(trx, signal),
      grants: await verifyGrants(trx, signal),
      audit: await verifyAudit(trx, signal),
    }));
    expect(found).toMatchObject({
      ledger: { accounts: ACCOUNTS, entries: keys, broken: [] },
      grants: { grants: WRITERS * GRANTS_EACH, broken: [] },
      audit: { events: WRITERS * GRANTS_EACH, broken: null },
    });
  });
});
