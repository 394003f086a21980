import * as z from "zod";
import { ConfigError, parseEnv } from "#lib/env.ts";
import { LOG_LEVELS } from "#lib/log.ts";
import { type DatabaseConfig, databaseConfig, databaseEnv } from "./database-env.ts";
import type { ApiRole } from "./migrate.ts";

/** One migration may rewrite a table. */
const STATEMENT_TIMEOUT_MS = 600_000;

const envSchema = z.object({
  ...databaseEnv,
  DATABASE_API_ROLE: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, "is not the name of a role")
    .default("hatchery_api")
    .describe("the role that the API works as: a-z, 0-9 and _"),
  DATABASE_API_PASSWORD: z
    .string()
    .min(1)
    .max(1024)
    .optional()
    .describe("its password; unset = it is seen to elsewhere"),
  DATABASE_WAIT_SECONDS: z.coerce.number().int().min(0).max(3600).default(120).describe("seconds, 0 to 3600"),
  LOG_LEVEL: z
    .enum(LOG_LEVELS)
    .default("info")
    .describe(`one of ${LOG_LEVELS.join(", ")}`),
});

/** Everything the migrations are told from outside. */
export interface MigrateConfig {
  /** Reached as the owner of the tables. */
  database: DatabaseConfig;
  role: ApiRole;
  /** How long to wait for a Postgres that does not answer, milliseconds. */
  waitMs: number;
  logLevel: (typeof LOG_LEVELS)[number];
}

/**
 * Reads the environment of the migrations.
 * @throws ConfigError naming each faulty variable.
 */
export function readMigrateConfig(env: Readonly<Record<string, string | undefined>>): MigrateConfig {
  const given = parseEnv(envSchema, env);
  const database = { ...databaseConfig(given), poolMax: 2, statementTimeoutMs: STATEMENT_TIMEOUT_MS };
  if (database.user === given.DATABASE_API_ROLE) {
    throw new ConfigError("DATABASE_URL: names the API's role; it must name the owner of the tables, another one");
  }
  return {
    database,
    role: { name: given.DATABASE_API_ROLE, password: given.DATABASE_API_PASSWORD },
    waitMs: given.DATABASE_WAIT_SECONDS * 1000,
    logLevel: given.LOG_LEVEL,
  };
}
