import { sql } from "kysely";
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import type { Store } from "../store/store.ts";
import type { SecretHash } from "./secret.ts";

/** Uses are written this often at most: a credential's once in that time, by each replica. */
export const WRITE_EVERY_MS = 60_000;

/** One use of a credential. */
export interface Use {
  readonly credentialId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Under the newest root key, where that one is not stored yet. */
  readonly missing?: SecretHash | undefined;
}

/** Writes down when credentials were last used, behind the requests that used them. */
export interface LastUse {
  /** Takes note; never waits and never throws. */
  note(use: Use): void;
  /** Writes what was noted, if it can. */
  close(): Promise<void>;
}

/**
 * Collects uses and writes them all at once, a minute after the first; what cannot be written is tried again a minute later. A
 * process that is killed forgets at most a minute of uses.
 */
export function createLastUse({ store, clock, log }: { store: Pick<Store, "db">; clock: Clock; log: Logger }): LastUse {
  let noted = new Map<string, Use>();
  let cancelTimer: (() => void) | undefined;
  let writing = Promise.resolve();

  function note(use: Use): void {
    noted.set(use.credentialId, use);
    cancelTimer ??= clock.setTimer(() => {
      cancelTimer = undefined;
      writing = write();
    }, WRITE_EVERY_MS);
  }

  async function write(): Promise<void> {
    const uses = noted;
    noted = new Map();
    if (uses.size === 0) return;
    try {
      await writeUses(store.db, [...uses.values()]);
    } catch (error) {
      log.warn({ err: error, credentials: uses.size }, "last uses could not be written yet");
      for (const use of uses.values()) if (!noted.has(use.credentialId)) note(use);
    }
  }

  return {
    note,
    async close() {
      await writing;
      await write();
      cancelTimer?.();
    },
  };
}

async function writeUses(db: Store["db"], uses: readonly Use[]): Promise<void> {
  const ids = uses.map(({ credentialId }) => credentialId);
  const times = uses.map(({ at }) => new Date(at));
  // A row that somebody else is at has been used or revoked just now: waiting for it, replicas could wait in a circle.
  await sql`
    update credentials c set last_used_at = greatest(c.last_used_at, used.at)
    from (select id from credentials where id = any(${ids}::text[]) for update skip locked) locked
      join unnest(${ids}::text[], ${times}::timestamptz[]) as used (id, at) on used.id = locked.id
    where c.id = locked.id`.execute(db);
  const hashes = uses.flatMap(({ credentialId: credential_id, missing }) =>
    missing ? [{ hash: missing.hash, root_key_id: missing.rootKeyId, credential_id }] : [],
  );
  if (hashes.length === 0) return;
  hashes.sort((a, b) => (a.hash < b.hash ? -1 : 1));
  await db
    .insertInto("credential_hashes")
    .values(hashes)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
