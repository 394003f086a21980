import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, inject, it } from "vitest";
import { PAGE_ROWS } from "../store/snapshot.ts";
import { API_ROLE, createTestDatabase, type TestDatabase } from "../testing/database.fixture.ts";
import { grantCredits } from "./grant.ts";
import { post } from "./ledger.fixture.ts";
import type { LedgerReport } from "./verify.ts";

const MAIN = fileURLToPath(new URL("verify-main.ts", import.meta.url));
let database: TestDatabase;

/** Two accounts of some entries each, of which each is 1 dollar more than the one before, and two audited grants to carol. */
beforeEach(async () => {
  database = await createTestDatabase(inject("postgresPort"));
  for (const account of ["human:alice", "human:bob"]) {
    for (const dollars of [1n, 2n, 3n, 4n]) await post(database.db, { account, amountMicroUsd: dollars * 1_000_000n });
  }
  const change = { by: { name: "human:root", scheme: "internal-key" }, requestId: "r" };
  for (const key of ["first", "second"]) {
    const grant = { account: "human:carol", amountMicroUsd: 5n, key, meta: { why: key } };
    await grantCredits(database.db, grant, change);
  }
});

afterEach(() => database[Symbol.asyncDispose]());

interface Run {
  code: number | null;
  report: { ok: boolean; ledger: LedgerReport; grants: object; audit: object } | undefined;
  err: string;
}

/** Runs the command as a process of its own, as the API's role. */
async function verify(command = ["verify"], env: Record<string, string> = {}): Promise<Run> {
  const url = `postgresql://${API_ROLE}@127.0.0.1:${inject("postgresPort")}/${database.config.database}`;
  const child = spawn(process.execPath, [MAIN, ...command], {
    env: { PATH: process.env.PATH, DATABASE_URL: url, DATABASE_PASSWORD: API_ROLE, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  const report = out.startsWith('{"ok"') ? JSON.parse(out) : undefined;
  return { code, report, err: err + out };
}

/** What somebody can do who may do everything with the database: no trigger of ours runs. */
async function tamper(...statements: string[]): Promise<void> {
  await database.owner.connection().execute(async (session) => {
    await sql`set session_replication_role = replica`.execute(session);
    for (const statement of statements) await sql.raw(statement).execute(session);
    await sql`reset session_replication_role`.execute(session);
  });
}

const BOB = "account = 'human:bob'";
const COLUMNS = "kind, amount_micro_usd, balance_after_micro_usd, idempotency_key, meta, created_by, request_id";
const copyOfFourth = (seq: number, prevHash: string) => `
  insert into ledger_entries (account, seq, created_at, prev_hash, hash, ${COLUMNS.replace("idempotency_key, ", "")}, idempotency_key)
  select account, ${seq}, created_at, ${prevHash}, sha256('forged'), ${COLUMNS.replace("idempotency_key, ", "")}, 'forged'
  from ledger_entries where ${BOB} and seq = 4`;

describe("the command", () => {
  it("finds nothing in what nobody touched, and says how much it read", async () => {
    const { code, report } = await verify();
    expect(report).toEqual({
      ok: true,
      ledger: { accounts: 3, entries: 10, brokenAccounts: 0, broken: [] },
      grants: { grants: 2, brokenGrants: 0, broken: [] },
      audit: { events: 2, head: { seq: "2", hash: expect.stringMatching(/^[0-9a-f]{64}$/) }, broken: null },
    });
    expect(code).toBe(0);
  });

  it("reads on where a page ends, within an account and between two", async () => {
    await database.db.transaction().execute(async (trx) => {
      await sql`set local statement_timeout = '60s'`.execute(trx);
      await sql`
        do $$ begin for n in 1..${sql.raw(String(PAGE_ROWS * 2))} loop
          insert into ledger_entries (account, kind, amount_micro_usd, idempotency_key, created_by, request_id)
          values (case when n <= ${sql.raw(String(PAGE_ROWS - 4))} then 'agent:a' else 'agent:b' end, 'burn', -1, 'n' || n, 'x', 'x');
        end loop; end $$`.execute(trx);
    });
    const { code, report } = await verify();
    expect([code, report?.ledger]).toMatchObject([0, { accounts: 5, entries: 10 + PAGE_ROWS * 2 }]);
  });

  it.each<[string, string[], object]>([
    [
      "an amount that was changed",
      [`update ledger_entries set amount_micro_usd = 9 where ${BOB} and seq = 2`],
      { entry: "2", fault: expect.stringContaining("was changed") },
    ],
    [
      "a meta that was changed",
      [`update ledger_entries set meta = '{"a": 1}' where ${BOB} and seq = 1`],
      { entry: "1", fault: expect.stringContaining("was changed") },
    ],
    [
      "a time that was changed",
      [`update ledger_entries set created_at = created_at - interval '1 microsecond' where ${BOB} and seq = 4`],
      { entry: "4", fault: expect.stringContaining("was changed") },
    ],
    [
      "an entry that was deleted",
      [`delete from ledger_entries where ${BOB} and seq = 2`],
      { entry: "2", fault: "is missing: the next one is 3" },
    ],
    [
      "the first entry, deleted",
      [`delete from ledger_entries where ${BOB} and seq = 1`],
      { entry: "1", fault: "is missing: the next one is 2" },
    ],
    [
      "the last entry, deleted",
      [`delete from ledger_entries where ${BOB} and seq = 4`],
      { entry: "4", fault: "is missing: the account ends with 4" },
    ],
    [
      "all entries, deleted",
      [`delete from ledger_entries where ${BOB}`],
      { entry: "1", fault: expect.stringContaining("is missing") },
    ],
    [
      "a balance that was changed",
      [`update ledger_accounts set balance_micro_usd = 99 where ${BOB}`],
      { entry: null, fault: "the balance is 99 micro-dollars, the sum is 10000000" },
    ],
    [
      "a balance of nothing",
      ["insert into ledger_accounts (account, balance_micro_usd) values ('human:bob2', 5)"],
      { account: "human:bob2", entry: "1" },
    ],
    [
      "an account that was deleted",
      [`delete from ledger_accounts where ${BOB}`],
      { entry: null, fault: "the account's own row is missing" },
    ],
    [
      "a head that was changed",
      [`update ledger_accounts set hash = sha256('x') where ${BOB}`],
      { entry: "4", fault: "is not the one that the account ends with" },
    ],
    [
      "an entry that was added with a hash of its own",
      [copyOfFourth(5, "hash"), `update ledger_accounts set seq = 5 where ${BOB}`],
      { entry: "5", fault: expect.stringContaining("was changed") },
    ],
    [
      "an entry that was added after nothing",
      [copyOfFourth(5, "sha256('nothing')")],
      { entry: "5", fault: "does not follow the one before" },
    ],
    [
      "two entries that were swapped",
      [
        `update ledger_entries set seq = 20 where ${BOB} and seq = 2`,
        `update ledger_entries set seq = 2 where ${BOB} and seq = 3`,
        `update ledger_entries set seq = 3 where ${BOB} and seq = 20`,
      ],
      { entry: "2", fault: "does not follow the one before" },
    ],
    [
      "an entry that was moved to another account",
      [
        `update ledger_entries set account = 'human:dora' where ${BOB} and seq = 1`,
        `update ledger_entries set seq = seq - 1 where ${BOB}`,
        `insert into ledger_accounts values ('human:dora', 1, 1000000, sha256('x'))`,
      ],
      { entry: "1" },
    ],
  ])("finds %s, and nothing else", async (_name, statements, expected) => {
    await tamper(...statements);
    const { code, report } = await verify();
    expect(code).toBe(1);
    expect(report).toMatchObject({ ok: false, grants: { broken: [] }, audit: { broken: null } });
    expect(report?.ledger.broken).toContainEqual(expect.objectContaining({ account: "human:bob", ...expected }));
    expect(report?.ledger.broken.map(({ account }) => account)).not.toContain("human:alice");
  });

  it("finds the grant of an account that was written anew with all its hashes", async () => {
    // Carol's second grant never was, as far as the ledger alone can tell.
    await tamper(
      "delete from ledger_entries where account = 'human:carol' and seq = 2",
      `update ledger_accounts a set seq = 1, balance_micro_usd = 5, hash = e.hash from ledger_entries e
         where e.account = a.account and a.account = 'human:carol'`,
    );
    const { code, report } = await verify();
    expect([code, report]).toMatchObject([
      1,
      { ledger: { broken: [] }, grants: { brokenGrants: 1, broken: [{ event: "2", account: "human:carol" }] } },
    ]);
  });

  it.each<[string, string, object]>([
    ["changed", "update audit_events set actor = 'nobody' where seq = 1", { seq: "1", fault: /was changed/ }],
    ["deleted", "delete from audit_events where seq = 1", { seq: "1", fault: /is missing/ }],
    ["deleted at the end", "delete from audit_events where seq = 2", { seq: "2", fault: /the head is at 2/ }],
    ["cut loose", "update audit_events set prev_hash = '' where seq = 2", { seq: "2", fault: /does not follow/ }],
  ])("finds an audit event that was %s", async (_name, statement, { seq, fault }: { seq?: string; fault?: RegExp }) => {
    await tamper(statement);
    const { code, report } = await verify();
    expect([code, report]).toMatchObject([
      1,
      { audit: { broken: { seq, fault: expect.stringMatching(fault ?? "") } } },
    ]);
  });

  it("says that it could not find out, and not that all is well, when Postgres does not answer", async () => {
    const { code, report, err } = await verify(["verify"], { DATABASE_URL: "postgresql://x@127.0.0.1:1/x" });
    expect([code, report]).toEqual([1, undefined]);
    expect(err).toContain("ECONNREFUSED");
  });

  it.each([[[]], [["verfiy"]], [["verify", "now"]]])("names its one command when it is given %j", async (command) => {
    const { code, err } = await verify(command);
    expect([code, err]).toEqual([1, "ledger: there is one command: ledger verify\n"]);
  });
});
