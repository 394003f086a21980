import { Kysely, PostgresDialect } from "kysely";
import * as z from "zod";
import { sleep, systemClock } from "#lib/clock.ts";
import { ConfigError, parseEnv } from "#lib/env.ts";
import { createLogger, LOG_LEVELS } from "#lib/log.ts";
import { type ProcessContext, runProcess } from "#lib/process.ts";
import { databaseConfig, databaseEnv } from "./database-env.ts";
import { migrate } from "./migrate.ts";
import { createPool } from "./pool.ts";
import { isUnavailable } from "./store-error.ts";

/** Between two tries to reach Postgres. */
const TRY_AGAIN_MS = 1_000;
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

/** Runs the migrations as the owner of the tables and ends; waits for a Postgres that is still starting. */
async function main({ signal, env }: ProcessContext): Promise<void> {
  const given = parseEnv(envSchema, env);
  const config = { ...databaseConfig(given), poolMax: 2, statementTimeoutMs: STATEMENT_TIMEOUT_MS };
  const role = { name: given.DATABASE_API_ROLE, password: given.DATABASE_API_PASSWORD };
  if (config.user === role.name) {
    throw new ConfigError("DATABASE_URL: names the API's role; it must name the owner of the tables, another one");
  }
  const log = createLogger("migrate", given.LOG_LEVEL);
  const pool = createPool(config, "hatchery-migrate", { failed: () => undefined, worked: () => undefined });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  const giveUpAt = systemClock.monotonic() + given.DATABASE_WAIT_SECONDS * 1000;
  try {
    for (;;) {
      try {
        const ran = await migrate(db, role);
        log.info(
          { ran, role: role.name },
          ran.length > 0 ? "the schema is of this version now" : "the schema was of this version",
        );
        return;
      } catch (error) {
        if (!isUnavailable(error) || signal.aborted || systemClock.monotonic() >= giveUpAt) throw error;
        log.info({ error: (error as Error).message }, "Postgres does not answer yet");
        await sleep(systemClock, TRY_AGAIN_MS, signal);
      }
    }
  } finally {
    await db.destroy();
  }
}

await runProcess({ name: "migrate", main });
