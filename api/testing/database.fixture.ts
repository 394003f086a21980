import { Kysely, PostgresDialect } from "kysely";
import { createEmptyDatabase, OWNER } from "#test/harness/postgres.ts";
import type { DatabaseConfig } from "../store/database-env.ts";
import { migrate } from "../store/migrate.ts";
import { createPool } from "../store/pool.ts";
import type { Tables } from "../store/tables.ts";

/** The role that the API works as in tests, and its password. */
export const API_ROLE = "hatchery_api";

/** A database with our tables, which nobody else uses. */
export interface TestDatabase extends AsyncDisposable {
  /** As the API's role. */
  readonly config: DatabaseConfig;
  readonly db: Kysely<Tables>;
  /** As the owner of the tables, for what the API may not do. */
  readonly owner: Kysely<Tables>;
}

/** How a database on a server of tests is reached as `user`, whose password is its name. */
export function databaseOn(port: number, database: string, user: string): DatabaseConfig {
  const where = { host: "127.0.0.1", port, database, user, password: user };
  return { ...where, tls: "disable", caFile: undefined, poolMax: 10, statementTimeoutMs: 5_000 };
}

/** Makes one on the server at this port of 127.0.0.1 (`inject("postgresPort")`) and brings its schema to this version. */
export async function createTestDatabase(port: number): Promise<TestDatabase> {
  const name = await createEmptyDatabase(port);
  const owner = openDatabase<Tables>(databaseOn(port, name, OWNER));
  await migrate(owner as unknown as Kysely<unknown>, { name: API_ROLE, password: API_ROLE });
  const config = databaseOn(port, name, API_ROLE);
  const db = openDatabase<Tables>(config);
  return {
    config,
    db,
    owner,
    async [Symbol.asyncDispose]() {
      await Promise.all([db.destroy(), owner.destroy()]);
    },
  };
}

/** A database, without anybody who watches it. */
export function openDatabase<T>(config: DatabaseConfig): Kysely<T> {
  const pool = createPool(config, "hatchery-test", { failed: () => undefined, worked: () => undefined });
  return new Kysely<T>({ dialect: new PostgresDialect({ pool }) });
}
