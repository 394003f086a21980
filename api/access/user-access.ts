import { type Kysely, type Selectable, sql } from "kysely";
import { type Tenant, tenantKey } from "#crds/index.ts";
import { appendAudit, type Change } from "../audit/audit.ts";
import { ApiError } from "../errors.ts";
import { comesAfter, microseconds, type Position } from "../store/position.ts";
import type { Tables, UsersTable } from "../store/tables.ts";

/**
 * Lets somebody in or shuts them out, with all their agents. Answers the user as they are then; what is so already is left as it is,
 * and not audited again.
 * @throws ApiError 404 for somebody who was never seen; 409 for an admin who would shut themselves out; StoreError.
 */
export function setUserAccess(
  db: Kysely<Tables>,
  { tenant, enabled }: { tenant: Tenant; enabled: boolean },
  { by, requestId }: Change,
): Promise<Selectable<UsersTable>> {
  const key = tenantKey(tenant);
  if (!enabled && key === by.name) {
    throw new ApiError("own_access", "nobody shuts themselves out: have another admin do it", { step: "access" });
  }
  return db.transaction().execute(async (trx) => {
    const now = sql<Date>`now()`;
    const changed = await trx
      .updateTable("users")
      .set({ access_enabled: enabled, access_updated_at: now, access_updated_by: by.name, updated_at: now })
      .where("tenant_key", "=", key)
      .where("access_enabled", "is distinct from", enabled)
      .returningAll()
      .executeTakeFirst();
    if (changed) {
      await appendAudit(trx, { by, action: "access.set", object: key, requestId, detail: { enabled } });
      return changed;
    }
    const user = await trx.selectFrom("users").selectAll().where("tenant_key", "=", key).executeTakeFirst();
    if (!user) throw new ApiError("user_not_found", `nobody was ever seen as ${key}`, { step: "access" });
    return user;
  });
}

/** Everybody who was ever seen, newest first: one more than `limit`, if there are more. @throws StoreError */
export function listUsers(
  db: Kysely<Tables>,
  { limit, after }: { limit: number; after: Position | undefined },
): Promise<(Selectable<UsersTable> & { at: bigint })[]> {
  return db
    .selectFrom("users")
    .selectAll()
    .select(microseconds("created_at").as("at"))
    .where(comesAfter(after, { time: "created_at", key: "tenant_key" }))
    .orderBy("created_at", "desc")
    .orderBy("tenant_key", "desc")
    .limit(limit + 1)
    .execute();
}
