import { type Kysely, sql } from "kysely";
import { Migrator } from "kysely/migration";
import { MIGRATION_NAMES, MIGRATION_TABLE, MIGRATIONS } from "./migrations/index.ts";
import { StoreError, storeError } from "./store-error.ts";
import { GRANTS } from "./tables.ts";

/** Any number that nothing else in the database locks. */
const LOCK = 7_283_465_120;

/** The role that the API works as. */
export interface ApiRole {
  readonly name: string;
  /** Set at each migration where given, so that a new one needs nothing but a restart; absent = somebody else sees to the role. */
  readonly password: string | undefined;
}

/**
 * Brings the schema to this version and gives the API's role its rights. Needs a connection as the owner of the tables, and may
 * run any number of times, at once too. Answers the migrations that it ran.
 * @throws Error saying what failed; nothing of a failed migration is kept.
 */
export async function migrate(db: Kysely<unknown>, role: ApiRole): Promise<string[]> {
  return db.connection().execute(async (session) => {
    await sql`select pg_advisory_lock(${LOCK})`.execute(session);
    try {
      // The rights are those of the later version, whose replicas may be at work.
      if (await isNewer(session)) return [];
      const ran = await runMigrations(session);
      await session.transaction().execute((trx) => setRights(trx, role));
      return ran;
    } finally {
      await sql`select pg_advisory_unlock(${LOCK})`.execute(session);
    }
  });
}

async function runMigrations(db: Kysely<unknown>): Promise<string[]> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
    migrationTableName: MIGRATION_TABLE,
    migrationLockTableName: `${MIGRATION_TABLE}_lock`,
  });
  const { error, results = [] } = await migrator.migrateToLatest();
  if (error) {
    const failed = results.find(({ status }) => status === "Error")?.migrationName ?? "none";
    throw new Error(`migration ${failed} failed: ${storeError(error).message}`, {
      cause: error,
    });
  }
  return results.map(({ migrationName }) => migrationName);
}

/** True when a later version was here: we are being rolled back, and its schema serves us too. */
async function isNewer(db: Kysely<unknown>): Promise<boolean> {
  const { rows: found } =
    await sql`select 1 from pg_tables where tablename = ${MIGRATION_TABLE} and schemaname = current_schema()`.execute(
      db,
    );
  if (found.length === 0) return false;
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(MIGRATION_TABLE)}`.execute(db);
  const applied = new Set(rows.map(({ name }) => name));
  return MIGRATION_NAMES.every((name) => applied.has(name)) && applied.size > MIGRATION_NAMES.length;
}

async function setRights(db: Kysely<unknown>, role: ApiRole): Promise<void> {
  await ensureRole(db, role);
  const name = sql.id(role.name);
  await sql`revoke all on all tables in schema ${sql.id(await currentSchema(db))} from ${name}`.execute(db);
  await sql`grant usage on schema ${sql.id(await currentSchema(db))} to ${name}`.execute(db);
  await sql`grant select on ${sql.table(MIGRATION_TABLE)} to ${name}`.execute(db);
  for (const [table, rights] of Object.entries(GRANTS)) {
    await sql`grant ${sql.raw(rights.join(", "))} on ${sql.table(table)} to ${name}`.execute(db);
  }
}

async function currentSchema(db: Kysely<unknown>): Promise<string> {
  const { rows } = await sql<{ schema: string }>`select current_schema() as schema`.execute(db);
  return rows[0]?.schema ?? "public";
}

async function ensureRole(db: Kysely<unknown>, { name, password }: ApiRole): Promise<void> {
  const { rows } = await sql`select 1 from pg_roles where rolname = ${name}`.execute(db);
  try {
    if (rows.length === 0) await sql`create role ${sql.id(name)} login`.execute(db);
    if (password !== undefined) await sql`alter role ${sql.id(name)} login password ${sql.lit(password)}`.execute(db);
  } catch (cause) {
    const error = storeError(cause);
    if (error.reason !== "forbidden") throw error;
    const what = rows.length === 0 ? "make" : "set the password of";
    throw new StoreError(
      `the owner may not ${what} the role ${name}: give it CREATEROLE, or see to the role yourself`,
      {
        reason: "forbidden",
        cause,
      },
    );
  }
}
