import { readFileSync } from "node:fs";
import type { PostgresPool } from "kysely";
import pg from "pg";
import type { DatabaseConfig } from "./database-env.ts";
import { storeError } from "./store-error.ts";

/** Longest wait for a connection, a free one of the pool or a new one. */
const CONNECT_TIMEOUT_MS = 3_000;
const IDLE_TIMEOUT_MS = 60_000;
/** After this long without an answer a statement's connection is dead: Postgres itself would have ended the statement. */
const DEAD_AFTER_MS = 2_000;
const INT8_OID = 20;

/** 64-bit integers are money and counters here: read as BigInt, exactly. */
const types = {
  getTypeParser: ((oid: number, format?: "text" | "binary") =>
    oid === INT8_OID && format !== "binary"
      ? BigInt
      : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/**
 * The options of a pool of connections.
 * @throws Error when the file of authorities cannot be read.
 */
function poolOptions(config: DatabaseConfig, applicationName: string): pg.PoolConfig {
  return {
    host: config.host,
    port: config.port,
    user: config.user,
    database: config.database,
    password: config.password,
    ssl: tlsOptions(config),
    max: config.poolMax,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    statement_timeout: config.statementTimeoutMs,
    query_timeout: config.statementTimeoutMs + DEAD_AFTER_MS,
    idle_in_transaction_session_timeout: config.statementTimeoutMs * 2,
    keepAlive: true,
    application_name: applicationName,
    types,
  };
}

function tlsOptions({ tls, caFile }: DatabaseConfig): pg.PoolConfig["ssl"] {
  if (tls === "disable") return false;
  const ca = caFile === undefined ? {} : { ca: readFileSync(caFile, "utf8") };
  return { ...ca, rejectUnauthorized: tls === "verify-full" };
}

/** What the pool reports of each use. */
export interface PoolWatcher {
  readonly failed: (error: ReturnType<typeof storeError>) => void;
  readonly worked: () => void;
}

/**
 * A pool whose every failure is a {@link storeError}. A connection on which a statement failed for want of an answer is thrown
 * away: it may still be busy with it.
 */
export function createPool(config: DatabaseConfig, applicationName: string, watcher: PoolWatcher): PostgresPool {
  const options = poolOptions(config, applicationName);
  const pool = new pg.Pool(options);
  // A connection that breaks while it is used says so beside failing its statement; unheard, that would end the process.
  pool.on("connect", (client) => void client.on("error", () => undefined));
  // An idle connection broke; the next user gets another one.
  pool.on("error", (error) => watcher.failed(storeError(error)));

  function judge(cause: unknown) {
    const error = storeError(cause);
    if (error.reason === "unavailable") watcher.failed(error);
    return error;
  }

  async function connect() {
    const client = await pool.connect().catch((cause: unknown) => {
      throw judge(cause);
    });
    let broken = false;
    return {
      async query(text: string, values: readonly unknown[]) {
        try {
          const result = await client.query(text, [...values]);
          watcher.worked();
          return result;
        } catch (cause) {
          const error = judge(cause);
          broken ||= error.code === undefined;
          throw error;
        }
      },
      release: (discard?: boolean | Error) => client.release(broken || Boolean(discard)),
    };
  }

  return { connect: connect as unknown as PostgresPool["connect"], end: () => pool.end(), options };
}
