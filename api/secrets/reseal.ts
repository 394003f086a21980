import type { Kysely } from "kysely";
import { sleep } from "#lib/clock.ts";
import type { KeyRing } from "#lib/keys.ts";
import type { Logger } from "#lib/log.ts";
import { SealError, seal, unseal } from "#lib/seal.ts";
import type { ApiContext } from "../context.ts";
import type { Tables } from "../store/tables.ts";

const PAGE = 100;
/** Between two tries while Postgres is away. */
const TRY_AGAIN_MS = 30_000;

/** Runs {@link reseal} to its end once, as often as Postgres breaks it off; ends early with the signal. Never throws. */
export async function resealOnce(
  { store, keyRing, log, clock }: Pick<ApiContext, "store" | "keyRing" | "log" | "clock">,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const counts = await reseal(store.db, keyRing, log, signal);
      if (counts.resealed + counts.broken > 0) log.info(counts, "sealed anew under the newest root key");
      return;
    } catch (error) {
      log.info({ err: error }, "secrets could not be sealed anew yet");
      await sleep(clock, TRY_AGAIN_MS, signal);
    }
  }
}

/**
 * Seals anew, under the newest root key, what is sealed under an older one, so that the older one can go. Several replicas may do
 * it at once. Answers how many were sealed anew and how many do not open.
 * @throws StoreError
 */
export async function reseal(
  db: Kysely<Tables>,
  ring: KeyRing,
  log: Logger,
  signal: AbortSignal,
): Promise<{ resealed: number; broken: number }> {
  const counts = { resealed: 0, broken: 0 };
  let after = { tenant_key: "", name: "" };
  while (!signal.aborted) {
    const rows = await db
      .selectFrom("sealed_secrets")
      .select(["tenant_key", "name", "key_id", "sealed"])
      .where("key_id", "!=", ring[0].id)
      .where((where) => where(where.refTuple("tenant_key", "name"), ">", where.tuple(after.tenant_key, after.name)))
      .orderBy("tenant_key")
      .orderBy("name")
      .limit(PAGE)
      .execute();
    for (const row of rows) counts[await resealRow(db, ring, log, row)] += 1;
    const last = rows.at(-1);
    if (!last || rows.length < PAGE) break;
    after = last;
  }
  return counts;
}

async function resealRow(
  db: Kysely<Tables>,
  ring: KeyRing,
  log: Logger,
  row: { tenant_key: string; name: string; key_id: string; sealed: Buffer },
): Promise<"resealed" | "broken"> {
  try {
    const secret = unseal(ring, { keyId: row.key_id, bytes: row.sealed }, row.tenant_key, row.name);
    const { keyId, bytes } = seal(ring, secret, row.tenant_key, row.name);
    await db
      .updateTable("sealed_secrets")
      .set({ key_id: keyId, sealed: Buffer.from(bytes) })
      .where("tenant_key", "=", row.tenant_key)
      .where("name", "=", row.name)
      // Somebody who stored another one meanwhile has sealed it under the newest key already.
      .where("sealed", "=", row.sealed)
      .execute();
    return "resealed";
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    log.error({ tenant: row.tenant_key, name: row.name, err: error }, "a sealed secret does not open");
    return "broken";
  }
}
