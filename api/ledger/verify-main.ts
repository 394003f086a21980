import { Kysely, PostgresDialect } from "kysely";
import { ConfigError } from "#lib/env.ts";
import { type ProcessContext, runProcess } from "#lib/process.ts";
import { verifyAudit } from "../audit/verify.ts";
import { createPool } from "../store/pool.ts";
import { readSnapshot } from "../store/snapshot.ts";
import type { Tables } from "../store/tables.ts";
import { verifyLedger } from "./verify.ts";
import { readVerifyConfig } from "./verify-config.ts";
import { verifyGrants } from "./verify-grants.ts";

/**
 * `ledger verify`: computes all chains of hashes and all balances anew and writes a report as one line of JSON; exits with 1 when
 * something is broken, and without a report when it could not be found out. Needs the rights of the API's role only.
 */
async function main({ signal, env }: ProcessContext): Promise<number> {
  if (process.argv[2] !== "verify" || process.argv.length > 3) {
    throw new ConfigError("there is one command: ledger verify");
  }
  const config = readVerifyConfig(env);
  const pool = createPool(config, "hatchery-ledger", { failed: () => undefined, worked: () => undefined });
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) });
  try {
    const report = await readSnapshot(db, async (trx) => ({
      ledger: await verifyLedger(trx, signal),
      grants: await verifyGrants(trx, signal),
      audit: await verifyAudit(trx, signal),
    }));
    const ok = report.ledger.brokenAccounts === 0 && report.grants.brokenGrants === 0 && report.audit.broken === null;
    process.stdout.write(`${JSON.stringify({ ok, ...report })}\n`);
    return ok ? 0 : 1;
  } finally {
    await db.destroy();
  }
}

await runProcess({ name: "ledger", main });
