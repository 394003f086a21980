import type { Tenant } from "#crds/index.ts";

/** Who counts as an admin; nobody does unless the configuration says so. */
export interface AdminConfig {
  /** User ids, compared as they are. */
  readonly userIds: readonly string[];
  /** E-mail addresses in lower case; a verified one counts. */
  readonly emails: readonly string[];
  /** A group of the identity provider's. */
  readonly group: string | undefined;
}

/** What is known of somebody that may make an admin. */
export interface Person {
  readonly tenant: Tenant;
  /** Lower case, vouched for by somebody we trust. */
  readonly email?: string | null | undefined;
  readonly groups?: readonly string[] | undefined;
}

/** Tells admins from others. */
export interface Admins {
  has(person: Person): boolean;
}

/** Admins by configuration. Agents never are: what they do for an admin, the admin has to do. */
export function createAdmins(config: AdminConfig): Admins {
  const userIds = new Set(config.userIds);
  const emails = new Set(config.emails);
  return {
    has: ({ tenant, email, groups = [] }) =>
      tenant.kind === "Human" &&
      (userIds.has(tenant.subject) ||
        (typeof email === "string" && emails.has(email)) ||
        (config.group !== undefined && groups.includes(config.group))),
  };
}
