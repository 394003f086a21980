import { type Kysely, type Selectable, sql } from "kysely";
import { type Tenant, tenantKey } from "#crds/index.ts";
import type { Tables, WaitlistTable } from "../store/tables.ts";

/** What is on record about somebody's access. */
export interface Admission {
  /** null = nobody decided; false = shut out. */
  readonly userAccess: boolean | null;
  /** The address that was vouched for last. */
  readonly email: string | null;
  /** Of that address. */
  readonly waitlistEntry: Selectable<WaitlistTable> | null;
}

/**
 * What is on record; somebody who is seen for the first time is put on record. One round trip, and no write but at the first
 * sight and when `email`, a verified address, is not the one on record.
 * @throws StoreError
 */
export async function admissionOf(db: Kysely<Tables>, tenant: Tenant, email?: string): Promise<Admission> {
  const found = await readAdmission(db, tenant, email);
  if (found && (email === undefined || found.recorded === email)) return found.admission;
  await recordUser(db, tenant, email);
  return found?.admission ?? admissionOf(db, tenant, email);
}

/** undefined = not on record. `recorded` is the address on record, the admission is by `email` where one is given. */
async function readAdmission(
  db: Kysely<Tables>,
  tenant: Tenant,
  email: string | undefined,
): Promise<{ recorded: string | null; admission: Admission } | undefined> {
  const row = await db
    .selectFrom("users as u")
    .leftJoin("waitlist as w", (join) =>
      join.on("w.email", "=", sql<string>`coalesce(${email ?? null}::text, u.email)`),
    )
    .select(["u.access_enabled", "u.email as recorded"])
    .select(["w.email as listed", "w.source", "w.approved", "w.approved_at", "w.approved_by", "w.created_at"])
    .where("u.tenant_key", "=", tenantKey(tenant))
    .executeTakeFirst();
  if (!row) return undefined;
  const { access_enabled, recorded, listed, source, approved, created_at, ...decision } = row;
  const isListed = listed !== null && source !== null && approved !== null && created_at !== null;
  const waitlistEntry = isListed ? { email: listed, source, approved, created_at, ...decision } : null;
  return { recorded, admission: { userAccess: access_enabled, email: email ?? recorded, waitlistEntry } };
}

/** Puts somebody on record, with the address that is vouched for now; true = they were not on it before. @throws StoreError */
export async function recordUser(db: Kysely<Tables>, tenant: Tenant, email?: string): Promise<boolean> {
  const kind = tenant.kind === "Agent" ? "agent" : "human";
  const written = await db
    .insertInto("users")
    .values({ tenant_key: tenantKey(tenant), kind, user_id: tenant.subject, email: email ?? null })
    .onConflict((conflict) =>
      email === undefined
        ? conflict.column("tenant_key").doNothing()
        : conflict.column("tenant_key").doUpdateSet({ email, updated_at: sql<Date>`now()` }),
    )
    // A row that was there and is updated carries the number of the transaction that locked it.
    .returning(sql<boolean>`xmax = 0`.as("created"))
    .executeTakeFirst();
  return written?.created ?? false;
}
