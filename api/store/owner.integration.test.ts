import { randomBytes } from "node:crypto";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { OWNER } from "#test/harness/postgres.ts";
import { databaseOn, openDatabase } from "../testing/database.fixture.ts";
import { migrate } from "./migrate.ts";
import { MIGRATION_NAMES } from "./migrations/index.ts";

const port = inject("postgresPort");
const suffix = randomBytes(4).toString("hex");
const roles = [`owner_${suffix}`, `api_${suffix}`, `plain_${suffix}`] as const;
const [owner, api, plain] = roles;

/** Runs statements as the superuser, one by one: databases are made in no transaction. */
async function asSuperuser(...statements: string[]): Promise<void> {
  const db = openDatabase<unknown>(databaseOn(port, "postgres", OWNER));
  try {
    for (const statement of statements) await sql.raw(statement).execute(db);
  } finally {
    await db.destroy();
  }
}

async function migrateAs(user: string, database: string, role: { name: string; password: string | undefined }) {
  const db = openDatabase<unknown>(databaseOn(port, database, user));
  try {
    return await migrate(db, role);
  } finally {
    await db.destroy();
  }
}

/** What docs/operations/api.md tells people to make on a Postgres of their own. */
beforeAll(() =>
  asSuperuser(
    `create role ${owner} login createrole password '${owner}'`,
    `create database ${owner} owner ${owner}`,
    `create role ${plain} login password '${plain}'`,
    `create database ${plain} owner ${plain}`,
  ),
);
afterAll(() =>
  asSuperuser(
    ...[owner, plain].map((name) => `drop database ${name} with (force)`),
    ...[api, owner, plain].map((name) => `drop role if exists ${name}`),
  ),
);

describe("an owner who is no superuser", () => {
  it("makes the tables and the API's role, and sets its password again", async () => {
    expect(await migrateAs(owner, owner, { name: api, password: "first" })).toEqual(MIGRATION_NAMES);
    expect(await migrateAs(owner, owner, { name: api, password: "second" })).toEqual([]);
    const db = openDatabase<unknown>({ ...databaseOn(port, owner, api), password: "second" });
    try {
      await sql`select count(*) from audit_events`.execute(db);
      await expect(sql`delete from audit_events`.execute(db)).rejects.toMatchObject({ reason: "forbidden" });
    } finally {
      await db.destroy();
    }
  });

  it("needs no right over roles when somebody else sees to the API's", async () => {
    await expect(migrateAs(plain, plain, { name: `none_${suffix}`, password: "p" })).rejects.toThrow(
      /may not make the role none_.*give it CREATEROLE, or see to the role yourself/,
    );
    expect(await migrateAs(plain, plain, { name: api, password: undefined })).toEqual([]);
    await expect(migrateAs(plain, plain, { name: api, password: "stolen" })).rejects.toThrow(
      /may not set the password of the role api_/,
    );
  });
});
