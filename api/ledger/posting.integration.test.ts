import fc from "fast-check";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { appendAudit } from "../audit/audit.ts";
import { verifyAudit } from "../audit/verify.ts";
import { readSnapshot } from "../store/snapshot.ts";
import type { Tables } from "../store/tables.ts";
import { API_ROLE, createTestDatabase, openDatabase, type TestDatabase } from "../testing/database.fixture.ts";
import { newEntry, post } from "./ledger.fixture.ts";
import { postEntry } from "./posting.ts";
import { balanceOf, listEntries } from "./statement.ts";
import { verifyLedger } from "./verify.ts";

let database: TestDatabase;
const { signal } = new AbortController();

beforeAll(async () => {
  database = await createTestDatabase(inject("postgresPort"));
});

afterAll(() => database[Symbol.asyncDispose]());

const verify = () => readSnapshot(database.db, (trx) => verifyLedger(trx, signal));

describe("an entry", () => {
  it("is numbered, dated and summed up by Postgres", async () => {
    const account = "human:numbered";
    for (const amountMicroUsd of [5_000_000n, 250_000n]) await post(database.db, { account, amountMicroUsd });
    const { entry, created } = await post(database.db, { account, kind: "burn", amountMicroUsd: -1n });
    expect([created, entry.seq, entry.balance_after_micro_usd]).toEqual([true, 3n, 5_249_999n]);
    expect(await balanceOf(database.db, account)).toBe(5_249_999n);
    const { items } = await listEntries(database.db, account, { limit: 10 });
    expect(items.map(({ id, amount_usd, balance_after_usd }) => [id, amount_usd, balance_after_usd])).toEqual([
      ["3", -0.000001, 5.249999],
      ["2", 0.25, 5.25],
      ["1", 5, 5],
    ]);
  });

  it("is made once for a key, and answered again for the same content in whatever order", async () => {
    const same = { account: "human:once", idempotencyKey: "test:once" };
    const first = await post(database.db, { ...same, meta: { a: 1, b: [true, null] } });
    const again = await post(database.db, { ...same, meta: { b: [true, null], a: 1 }, requestId: "another" });
    expect(again).toEqual({ entry: first.entry, created: false });
    expect(await balanceOf(database.db, same.account)).toBe(1_000_000n);
  });

  it.each([
    { account: "human:somebody-else" },
    { amountMicroUsd: 1_000_001n },
    { kind: "adjustment" as const },
    { meta: { a: 2 } },
  ])("with the key of another one and %o is refused, and changes nothing", async (other) => {
    const same = { account: "human:refused", idempotencyKey: "test:refused", meta: { a: 1 } };
    await post(database.db, same);
    const before = await balanceOf(database.db, same.account);
    await expect(post(database.db, { ...same, ...other })).rejects.toMatchObject({ code: "idempotency_conflict" });
    expect(await balanceOf(database.db, same.account)).toBe(before);
    expect(await verify()).toMatchObject({ brokenAccounts: 0 });
  });

  it("goes with its transaction", async () => {
    const account = "human:undone";
    const undo = database.db.transaction().execute(async (trx) => {
      await postEntry(trx, newEntry({ account }));
      throw new Error("undone");
    });
    await expect(undo).rejects.toThrow("undone");
    expect(await balanceOf(database.db, account)).toBe(0n);
    expect((await listEntries(database.db, account, { limit: 10 })).items).toEqual([]);
  });

  it("that would pass the bounds of a balance is refused", async () => {
    const account = "human:rich";
    const amountMicroUsd = 1_000_000_000_000n;
    await post(database.db, { account, amountMicroUsd });
    // A thousand grants in the time of one: a balance that is as it would be after them.
    await database.owner
      .updateTable("ledger_accounts")
      .set({ balance_micro_usd: 999_999_999_999_999n } as never)
      .where("account", "=", account)
      .execute();
    await expect(post(database.db, { account, amountMicroUsd: 1n })).rejects.toMatchObject({
      code: "balance_out_of_range",
    });
    await database.owner
      .updateTable("ledger_accounts")
      .set({ balance_micro_usd: amountMicroUsd } as never)
      .where("account", "=", account)
      .execute();
  });

  it("whose meta is long only as Postgres writes it is refused by name", async () => {
    const meta = { long: Array.from({ length: 100 }, () => 1e308) };
    await expect(post(database.db, { meta })).rejects.toMatchObject({ code: "invalid_request", message: /^meta: / });
  });

  it.each([
    { amountMicroUsd: 0n },
    { amountMicroUsd: 10n ** 12n + 1n },
    { amountMicroUsd: -1n },
    { kind: "burn" as const },
  ])("with %o is refused by Postgres itself", async (wrong) => {
    await expect(post(database.db, wrong)).rejects.toMatchObject({ reason: "constraint" });
  });
});

describe("the hashes", () => {
  const text = (maxLength: number) => fc.string({ unit: "binary", minLength: 1, maxLength }).filter(noZero);
  const noZero = (it: string) => !it.includes("\0");

  it("are computed here as Postgres does, whatever the texts are", async () => {
    const json = fc.dictionary(text(10), fc.oneof(text(20), fc.double({ noNaN: true }), fc.boolean()), { maxKeys: 5 });
    const writers = fc.record({ account: text(50), key: text(100), meta: json, by: text(50), requestId: text(20) });
    await fc.assert(
      fc.asyncProperty(writers, async ({ account, key, meta, by, requestId }) => {
        const entry = { account: `agent:${account}`, meta, createdBy: by, requestId };
        await post(database.db, { ...entry, idempotencyKey: `${crypto.randomUUID()}${key}` });
        const object = account;
        const actor = { name: by, scheme: key };
        await appendAudit(database.db, { by: actor, action: "access.set", object, requestId, detail: meta });
      }),
    );
    const found = await readSnapshot(database.db, async (trx) => [
      await verifyLedger(trx, signal),
      await verifyAudit(trx, signal),
    ]);
    expect(found).toMatchObject([{ broken: [] }, { events: 100, broken: null }]);
  });
});

describe("the rights", () => {
  const ENTRIES = [
    "update ledger_entries set amount_micro_usd = 1",
    "delete from ledger_entries",
    "truncate ledger_entries",
    "insert into ledger_entries (account, kind, amount_micro_usd, idempotency_key, created_by, request_id) values ('human:alice', 'grant', 1, 'test:alice', 'x', 'x') on conflict (idempotency_key) do update set amount_micro_usd = 2",
    "delete from ledger_accounts",
    "truncate ledger_accounts cascade",
  ];

  it.each(ENTRIES)("refuse the API's role and the owner: %s", async (statement) => {
    await post(database.db, { idempotencyKey: "test:alice" });
    for (const db of [database.db, database.owner]) {
      await expect(sql.raw(statement).execute(db)).rejects.toMatchObject({ reason: "forbidden", code: "42501" });
    }
  });

  it.each([
    "update ledger_accounts set balance_micro_usd = 1",
    "insert into ledger_accounts (account) values ('human:x')",
    "alter table ledger_entries disable trigger all",
    "set session_replication_role = replica",
    "select ledger_settle()",
  ])("refuse the API's role: %s", async (statement) => {
    await expect(sql.raw(statement).execute(database.db)).rejects.toMatchObject({ code: /42501|0A000/ });
  });

  it("let nobody choose a number, a time, a balance or a hash", async () => {
    const entry = { account: "human:forged", kind: "grant", amount_micro_usd: 7n, idempotency_key: "test:forged" };
    const times = { seq: 100n, created_at: "2000-01-01", balance_after_micro_usd: 10n ** 9n };
    const hashes = { prev_hash: Buffer.alloc(32, 1), hash: Buffer.alloc(32, 1) };
    const forged = { ...entry, ...times, ...hashes, created_by: "x", request_id: "x" };
    await database.db
      .insertInto("ledger_entries")
      .values(forged as never)
      .execute();
    const made = await database.db
      .selectFrom("ledger_entries")
      .selectAll()
      .where("account", "=", "human:forged")
      .executeTakeFirstOrThrow();
    expect([made.seq, made.balance_after_micro_usd]).toEqual([1n, 7n]);
    expect(made.created_at.getUTCFullYear()).toBeGreaterThan(2000);
    expect(await verify()).toMatchObject({ broken: [] });
  });

  it("let nobody put a table of their own in place of an account or of the audit log's head, nor a function in place of Postgres'", async () => {
    // As it is for everybody before Postgres 15.
    await sql`grant create on schema public to ${sql.id(API_ROLE)}`.execute(database.owner);
    const mallory = openDatabase<Tables>({ ...database.config, poolMax: 1 });
    await mallory.connection().execute(async (session) => {
      for (const table of ["ledger_accounts", "audit_head"]) {
        await sql`create temporary table ${sql.id("pg_temp", table)} as select * from ${sql.id("public", table)}`.execute(
          session,
        );
        await sql`grant all on ${sql.id("pg_temp", table)} to public`.execute(session);
      }
      await sql`
        create function public.jsonb_build_array(text, bigint, text, text, bigint, bigint, text, jsonb, text, text)
        returns jsonb language sql as $$ select '["mine"]'::jsonb $$`.execute(session);
      await sql`
        create function public.jsonb_build_array(bigint, text, text, text, text, text, text, text, jsonb)
        returns jsonb language sql as $$ select '["mine"]'::jsonb $$`.execute(session);
      await sql`update pg_temp.ledger_accounts set balance_micro_usd = 1000000000`.execute(session);
      await sql`update pg_temp.audit_head set hash = sha256('mine')`.execute(session);
      await session.transaction().execute((trx) => postEntry(trx, newEntry({ account: "human:alice" })));
      const by = { name: "human:alice", scheme: "oidc" };
      await appendAudit(session, { by, action: "access.set", object: "human:alice", requestId: "r" });
    });
    await mallory.destroy();
    const found = await readSnapshot(database.db, async (trx) => [
      await verifyLedger(trx, signal),
      await verifyAudit(trx, signal),
    ]);
    expect(found).toMatchObject([{ broken: [] }, { broken: null }]);
  });
});
