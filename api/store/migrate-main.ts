import { Kysely, PostgresDialect } from "kysely";
import { sleep, systemClock } from "#lib/clock.ts";
import { createLogger } from "#lib/log.ts";
import { type ProcessContext, runProcess } from "#lib/process.ts";
import { migrate } from "./migrate.ts";
import { readMigrateConfig } from "./migrate-config.ts";
import { createPool } from "./pool.ts";
import { isUnavailable } from "./store-error.ts";

/** Between two tries to reach Postgres. */
const TRY_AGAIN_MS = 1_000;

/** Runs the migrations as the owner of the tables and ends; waits for a Postgres that is still starting. */
async function main({ signal, env }: ProcessContext): Promise<void> {
  const { database, role, waitMs, logLevel } = readMigrateConfig(env);
  const log = createLogger("migrate", logLevel);
  const pool = createPool(database, "hatchery-migrate", { failed: () => undefined, worked: () => undefined });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  const giveUpAt = systemClock.monotonic() + waitMs;
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
