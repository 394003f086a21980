import { type Kysely, sql } from "kysely";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished } from "vitest";
import { systemClock } from "#lib/clock.ts";
import { createLogger } from "#lib/log.ts";
import { createEmptyDatabase, OWNER, type PostgresServer, startPostgres } from "#test/harness/postgres.ts";
import { appendAudit } from "../audit/audit.ts";
import {
  API_ROLE,
  createTestDatabase,
  databaseOn,
  openDatabase,
  type TestDatabase,
} from "../testing/database.fixture.ts";
import { eventually } from "../testing/eventually.ts";
import type { DatabaseConfig } from "./database-env.ts";
import { migrate } from "./migrate.ts";
import { MIGRATION_NAMES, MIGRATION_TABLE } from "./migrations/index.ts";
import { createStore, type Store } from "./store.ts";
import { StoreError } from "./store-error.ts";
import { GRANTS, type Tables } from "./tables.ts";

const role = { name: API_ROLE, password: API_ROLE };
const port = inject("postgresPort");

async function thrownBy(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe("a migration", () => {
  it("runs once, also when several begin at the same time, and again without a change", async () => {
    const name = await createEmptyDatabase(port);
    const owners = Array.from({ length: 4 }, () => openDatabase<unknown>(databaseOn(port, name, OWNER)));
    onTestFinished(async () => void (await Promise.all(owners.map((owner) => owner.destroy()))));
    const ran = await Promise.all(owners.map((owner) => migrate(owner, role)));
    expect(ran.flat()).toEqual(MIGRATION_NAMES);
    expect(await migrate(owners[0] as Kysely<unknown>, role)).toEqual([]);
  });

  it("leaves the schema of a later version as it is", async () => {
    const name = await createEmptyDatabase(port);
    const owner = openDatabase<unknown>(databaseOn(port, name, OWNER));
    onTestFinished(() => owner.destroy());
    await migrate(owner, role);
    await sql`insert into ${sql.table(MIGRATION_TABLE)} (name, timestamp) values ('999-later', '2030')`.execute(owner);
    expect(await migrate(owner, role)).toEqual([]);
  });

  it("grants the API's role what the tables say, and nothing else", async () => {
    await using database = await createTestDatabase(port);
    const { rows } = await sql<{ table: string; right: string }>`
      select table_name as table, lower(privilege_type) as right from information_schema.role_table_grants
      where grantee = ${API_ROLE}`.execute(database.owner);
    const granted = rows.map(({ table, right }) => `${right} ${table}`).sort();
    const meant = Object.entries(GRANTS).flatMap(([table, rights]) => rights.map((right) => `${right} ${table}`));
    expect(granted).toEqual([...meant, `select ${MIGRATION_TABLE}`].sort());
  });
});

describe("the audit log", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase(port);
    const by = { name: "human:root", scheme: "oidc" };
    for (const object of ["human:alice", "human:bob"]) {
      await appendAudit(database.db, { by, action: "access.set", object, requestId: "r-1", detail: { enabled: true } });
    }
  });
  afterAll(() => database[Symbol.asyncDispose]());

  it("is a chain of hashes that anybody can compute again", async () => {
    const { rows } = await sql<{ good: boolean; seq: bigint }>`
      select seq, hash = sha256(prev_hash || convert_to(jsonb_build_array(seq,
        to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), actor, scheme, action, object, outcome, request_id,
        detail)::text, 'UTF8')) and prev_hash = coalesce(lag(hash) over (order by seq), decode(repeat('00', 32), 'hex')) as good
      from audit_events order by seq`.execute(database.db);
    expect(rows).toEqual([
      { seq: 1n, good: true },
      { seq: 2n, good: true },
    ]);
  });

  it.each(["update audit_events set actor = 'x'", "delete from audit_events", "truncate audit_events"])(
    "refuses %s, to the API's role and to the owner",
    async (statement) => {
      for (const db of [database.db, database.owner]) {
        const error = await thrownBy(sql.raw(statement).execute(db));
        expect(error).toBeInstanceOf(StoreError);
        expect(error).toMatchObject({ reason: "forbidden", code: "42501" });
      }
    },
  );

  it("lets nobody choose a number, a time or a hash, nor touch its head", async () => {
    const values = {
      actor: "a",
      scheme: "oidc",
      action: "access.set",
      object: "o",
      outcome: "succeeded",
      request_id: "r",
    };
    const forged = { ...values, seq: 100, at: "2000-01-01", hash: Buffer.alloc(32), prev_hash: Buffer.alloc(32) };
    await database.db
      .insertInto("audit_events")
      .values(forged as never)
      .execute();
    const last = await database.db
      .selectFrom("audit_events")
      .selectAll()
      .orderBy("seq", "desc")
      .limit(1)
      .executeTakeFirst();
    expect(last?.seq).toBe(3n);
    expect(last?.at.getUTCFullYear()).toBeGreaterThan(2000);
    expect(await thrownBy(sql`update audit_head set seq = 0`.execute(database.db))).toMatchObject({
      reason: "forbidden",
    });
  });
});

describe("a Postgres that goes away", () => {
  let server: PostgresServer;
  let config: DatabaseConfig;
  let store: Store;
  const stopped = new AbortController();

  beforeAll(async () => {
    server = await startPostgres();
    config = databaseOn(server.port, await createEmptyDatabase(server.port), API_ROLE);
    const owner = openDatabase<Tables>({ ...config, user: OWNER, password: OWNER });
    await migrate(owner as unknown as Kysely<unknown>, role);
    await owner.destroy();
    const log = createLogger("test", "silent");
    store = createStore({
      config: { ...config, statementTimeoutMs: 500 },
      clock: systemClock,
      log,
      registry: new Registry(),
    });
    void store.watch(stopped.signal);
    await store.firstUsable;
  });
  afterAll(async () => {
    stopped.abort();
    await store.close();
    await server[Symbol.asyncDispose]();
  });

  const ask = () => store.db.selectFrom("users").selectAll().execute();

  it("is told of, and used again once it is back", async () => {
    expect(await ask()).toEqual([]);
    await server.kill();
    expect(await thrownBy(ask())).toMatchObject({ name: "StoreError", reason: "unavailable" });
    expect(store.fault()).toMatch(/^Postgres does not answer: /);
    await server.restart();
    await eventually(() => store.fault()).toBeUndefined();
    expect(await ask()).toEqual([]);
  });

  it("and ends a connection between two statements fails the next one, and nothing else", async () => {
    const asOwner = openDatabase<Tables>({ ...config, user: OWNER, password: OWNER });
    onTestFinished(() => asOwner.destroy());
    const broken = store.db.transaction().execute(async (trx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx);
      const pid = rows[0]?.pid ?? 0;
      await sql`select pg_terminate_backend(${pid})`.execute(asOwner);
      const there = sql`select from pg_stat_activity where pid = ${pid}`;
      await eventually(async () => (await there.execute(asOwner)).rows.length).toBe(0);
      await sql`select 1`.execute(trx);
    });
    expect(await thrownBy(broken)).toMatchObject({ name: "StoreError", reason: "unavailable" });
    await eventually(() => store.fault()).toBeUndefined();
    expect(await ask()).toEqual([]);
  });

  it("that falls silent is given up on, and its connections with it", async () => {
    await ask();
    server.freeze();
    expect(await thrownBy(ask())).toMatchObject({ name: "StoreError", reason: "unavailable" });
    server.thaw();
    await eventually(() => store.fault()).toBeUndefined();
    expect(await ask()).toEqual([]);
  });
});
