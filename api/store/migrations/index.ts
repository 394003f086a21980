import type { Migration } from "kysely/migration";
import * as users from "./001-users.ts";
import * as audit from "./002-audit.ts";
import * as credentials from "./003-credentials.ts";
import * as threads from "./004-threads.ts";
import * as approvals from "./005-approvals.ts";
import * as ledger from "./006-ledger.ts";
import * as sealedSecrets from "./007-sealed-secrets.ts";

/** Every migration, oldest first. One that was released never changes; what is wrong is put right by the next one. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "001-users": users,
  "002-audit": audit,
  "003-credentials": credentials,
  "004-threads": threads,
  "005-approvals": approvals,
  "006-ledger": ledger,
  "007-sealed-secrets": sealedSecrets,
};

/** Their names in order. */
export const MIGRATION_NAMES: readonly string[] = Object.keys(MIGRATIONS);

/** Where Postgres keeps which ones were run. */
export const MIGRATION_TABLE = "hatchery_migrations";
