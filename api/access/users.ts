import { type Kysely, sql } from "kysely";
import { type Tenant, tenantKey } from "#crds/index.ts";
import type { Tables } from "../store/tables.ts";

/** What is on record about somebody's access. */
export interface Admission {
  /** null = nobody decided. */
  readonly userAccess: boolean | null;
  readonly waitlistApproved: boolean;
}

/**
 * What is on record; somebody who is seen for the first time is put on record. One round trip, and no write but at the first
 * sight and when a verified address changed.
 * @throws StoreError
 */
export async function admissionOf(db: Kysely<Tables>, tenant: Tenant, email?: string): Promise<Admission> {
  const key = tenantKey(tenant);
  const { rows } = await sql<{ access: boolean | null; email: string | null; approved: boolean | null }>`
    select u.access_enabled as access, u.email,
      (select w.approved from waitlist w where w.email = coalesce(${email ?? null}::text, u.email)) as approved
    from users u where u.tenant_key = ${key}`.execute(db);
  const [found] = rows;
  if (found && (email === undefined || found.email === email)) {
    return { userAccess: found.access, waitlistApproved: found.approved ?? false };
  }
  await recordUser(db, tenant, email);
  return found
    ? { userAccess: found.access, waitlistApproved: found.approved ?? false }
    : admissionOf(db, tenant, email);
}

/** Puts somebody on record, with the address that is vouched for now. @throws StoreError */
export async function recordUser(db: Kysely<Tables>, tenant: Tenant, email?: string): Promise<void> {
  const kind = tenant.kind === "Agent" ? "agent" : "human";
  await db
    .insertInto("users")
    .values({ tenant_key: tenantKey(tenant), kind, user_id: tenant.subject, email: email ?? null })
    .onConflict((conflict) =>
      email === undefined
        ? conflict.column("tenant_key").doNothing()
        : conflict.column("tenant_key").doUpdateSet({ email, updated_at: sql<Date>`now()` }),
    )
    .execute();
}
