import * as z from "zod";
import { parseEnv } from "#lib/env.ts";
import { type DatabaseConfig, databaseConfig, databaseEnv } from "../store/database-env.ts";

/** A page of a large table on a busy disk; nobody waits for it. */
const STATEMENT_TIMEOUT_MS = 120_000;

const envSchema = z.object(databaseEnv);

/**
 * Reads the environment of `ledger verify`: how the database is reached.
 * @throws ConfigError naming each faulty variable.
 */
export function readVerifyConfig(env: Readonly<Record<string, string | undefined>>): DatabaseConfig {
  return { ...databaseConfig(parseEnv(envSchema, env)), poolMax: 1, statementTimeoutMs: STATEMENT_TIMEOUT_MS };
}
