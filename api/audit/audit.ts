import type { Kysely, Transaction } from "kysely";
import { tenantKey } from "#crds/index.ts";
import type { Identity } from "../auth/identity.ts";
import type { Tables } from "../store/tables.ts";

/** Everything that is audited. */
export type AuditAction =
  | "access.set"
  | "waitlist.set"
  | "credits.grant"
  | "token.create"
  | "token.revoke"
  | "agent.create"
  | "agent.set"
  | "agent.key.create"
  | "agent.key.revoke"
  | "approval.decide"
  | "approval.use";

/** Who did what, on what, and how it ended. No secret may be in it. */
export interface AuditEvent {
  readonly by: Actor;
  readonly action: AuditAction;
  /** e.g. `human:alice`, `waitlist:a@example.org`, `approval:<id>`. */
  readonly object: string;
  readonly outcome?: "succeeded" | "refused";
  readonly requestId: string;
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Who acts, and by which kind of credential. */
export interface Actor {
  /** A tenant key, or the name of a service. */
  readonly name: string;
  readonly scheme: string;
}

/** By whom, and with which request, something is changed. */
export interface Change {
  readonly by: Actor;
  readonly requestId: string;
}

/** The change that a call makes, as the audit log names it. */
export function changeBy({ identity, requestId }: { identity: Identity; requestId: string }): Change {
  return { by: actorOf(identity), requestId };
}

/** A caller as the audit log names it. */
export function actorOf({ tenant, scheme }: Identity): Actor {
  return { name: tenantKey(tenant), scheme };
}

/** Adds an event to the audit log, inside the transaction of what it tells of: both are kept or neither is. @throws StoreError */
export async function appendAudit(trx: Transaction<Tables> | Kysely<Tables>, event: AuditEvent): Promise<void> {
  await trx
    .insertInto("audit_events")
    .values({
      actor: event.by.name,
      scheme: event.by.scheme,
      action: event.action,
      object: event.object,
      outcome: event.outcome ?? "succeeded",
      request_id: event.requestId,
      detail: JSON.stringify(event.detail ?? {}),
    })
    .execute();
}
