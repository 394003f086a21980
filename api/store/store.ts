import { Kysely, PostgresDialect, sql } from "kysely";
import type { Registry } from "prom-client";
import { Counter, Gauge } from "prom-client";
import { type Clock, sleep } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { DatabaseConfig } from "./database-env.ts";
import { MIGRATION_NAMES, MIGRATION_TABLE } from "./migrations/index.ts";
import { createPool } from "./pool.ts";
import { type StoreError, storeError } from "./store-error.ts";
import type { Tables } from "./tables.ts";

/** How often Postgres is asked whether it is there. */
const LOOK_EVERY_MS = 5_000;
/** ... and while it is not. */
const LOOK_AGAIN_MS = 1_000;

/** The API's Postgres. */
export interface Store {
  readonly db: Kysely<Tables>;
  /** What is wrong with it, in words without a secret; undefined while it answers and has our tables. Asks nobody. */
  fault(): string | undefined;
  /** Resolves when it is usable for the first time. */
  readonly firstUsable: Promise<void>;
  /** Keeps `fault` true until the signal aborts. Never throws: an outage is to be lived through. */
  watch(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/**
 * A store over a pool of connections; none is made before the first use.
 * @throws Error when the file of authorities cannot be read.
 */
export function createStore(o: { config: DatabaseConfig; clock: Clock; log: Logger; registry: Registry }): Store {
  const up = new Gauge({
    name: "hatchery_store_up",
    help: "1 while Postgres answers and has the tables of this version.",
    registers: [o.registry],
  });
  const errors = new Counter({
    name: "hatchery_store_errors_total",
    help: "Connections and statements that Postgres did not answer.",
    registers: [o.registry],
  });
  let fault: string | undefined = "Postgres was not asked yet";
  const firstUsable = Promise.withResolvers<void>();
  /** Ends the watch's pause, so that what a caller met is over as soon as it can be. */
  let hurry = new AbortController();

  function judge(found: string | undefined): void {
    up.set(found === undefined ? 1 : 0);
    if (found === fault) return;
    fault = found;
    if (found !== undefined) {
      o.log.warn({ fault }, "Postgres is not usable");
      hurry.abort();
      return;
    }
    o.log.info("Postgres answers");
    firstUsable.resolve();
  }

  const pool = createPool(o.config, "hatchery-api", {
    failed(error) {
      errors.inc();
      judge(describe(error));
    },
    // Tables may still be missing: only the watch finds that they are there.
    worked: () => undefined,
  });
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });

  async function look(): Promise<void> {
    try {
      judge(await schemaFault(db));
    } catch (cause) {
      judge(describe(storeError(cause)));
    }
  }

  return {
    db,
    fault: () => fault,
    firstUsable: firstUsable.promise,
    async watch(signal) {
      while (!signal.aborted) {
        hurry = new AbortController();
        await look();
        if (fault === undefined) await sleep(o.clock, LOOK_EVERY_MS, AbortSignal.any([signal, hurry.signal]));
        if (fault !== undefined) await sleep(o.clock, LOOK_AGAIN_MS, signal);
      }
    },
    close: () => db.destroy(),
  };
}

function describe(error: StoreError): string {
  return `Postgres does not answer: ${error.code ? `${error.code} ` : ""}${error.message}`;
}

/** What the schema lacks; one that is newer than we are is fine, as migrations only ever add. */
async function schemaFault(db: Kysely<Tables>): Promise<string | undefined> {
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(MIGRATION_TABLE)}`
    .execute(db)
    .catch((cause) => {
      const error = storeError(cause);
      if (error.code === "42P01" || error.reason === "forbidden") return { rows: [] };
      throw error;
    });
  const applied = new Set(rows.map(({ name }) => name));
  const missing = MIGRATION_NAMES.filter((name) => !applied.has(name));
  return missing.length === 0 ? undefined : `the schema lacks ${missing.join(", ")}: run the migration of this version`;
}
