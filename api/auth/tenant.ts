/** Whom a request acts for. It comes from the credential alone, never from what a caller says beside it. */
export interface Tenant {
  readonly kind: "Human" | "Agent";
  /** Opaque id of the owner: an OIDC `sub`, a user id. */
  readonly subject: string;
}

/** `human:<subject>` or `agent:<subject>`: one string per tenant, the same in all parts of the system. */
export function tenantKey(tenant: Tenant): string {
  return `${tenant.kind.toLowerCase()}:${tenant.subject}`;
}
