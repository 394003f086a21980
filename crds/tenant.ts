/** Whom an instance belongs to, and whom a call acts for. */
export interface Tenant {
  readonly kind: "Human" | "Agent";
  /** Opaque id of the owner: an OIDC `sub`, a user id. */
  readonly subject: string;
}

/** `human:<subject>` or `agent:<subject>`: one string per tenant, the same in all parts of the system. */
export function tenantKey({ kind, subject }: Tenant): string {
  return `${kind === "Agent" ? "agent" : "human"}:${subject}`;
}
