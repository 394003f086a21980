import type { ColumnType, Generated, JSONColumnType } from "kysely";

/** A column that Postgres fills in and nobody writes. */
type Filled<T> = ColumnType<T, never, never>;
/** A column that is written once. */
export type Fixed<T> = ColumnType<T, T, never>;
/** An object, read as it is and written as JSON text. */
export type Json = JSONColumnType<Record<string, unknown>>;

/** Everybody who was seen, and every agent. */
export interface UsersTable {
  /** `human:<id>` or `agent:<id>`. */
  tenant_key: Fixed<string>;
  kind: Fixed<"human" | "agent">;
  user_id: Fixed<string>;
  /** Verified by who vouches for the user; never what a user merely says. */
  email: string | null;
  name: string | null;
  /** null = nobody decided; false = shut out whatever else would let them in. */
  access_enabled: boolean | null;
  access_updated_at: Date | null;
  access_updated_by: string | null;
  created_at: Generated<Date>;
  updated_at: Generated<Date>;
}

/** E-mail addresses that asked to be let in; lower case, trimmed. */
export interface WaitlistTable {
  email: Fixed<string>;
  source: Fixed<string>;
  approved: Generated<boolean>;
  approved_at: Date | null;
  approved_by: string | null;
  created_at: Generated<Date>;
}

/** What was done by whom; insert only. Columns from `seq` to `hash` are Postgres' own. */
export interface AuditEventsTable {
  seq: Filled<bigint>;
  at: Filled<Date>;
  actor: Fixed<string>;
  scheme: Fixed<string>;
  action: Fixed<string>;
  object: Fixed<string>;
  outcome: Fixed<"succeeded" | "refused">;
  request_id: Fixed<string>;
  detail: ColumnType<Record<string, unknown>, string, never>;
  prev_hash: Filled<Buffer>;
  hash: Filled<Buffer>;
}

/** What agents asked to be allowed. */
export interface ApprovalsTable {
  id: Fixed<string>;
  /** Whose call it is. */
  tenant_key: Fixed<string>;
  /** The human who decides; null for an agent that nobody owns. */
  owner_key: Fixed<string | null>;
  tool: Fixed<string>;
  input: ColumnType<Record<string, unknown>, string, never>;
  /** SHA-256 of the canonical JSON of `input`. */
  input_hash: Fixed<Buffer>;
  summary: Fixed<string>;
  decision: "approved" | "rejected" | null;
  created_at: Fixed<Date>;
  expires_at: Fixed<Date>;
  decided_at: Date | null;
  decided_by: string | null;
  used_at: Date | null;
}

/** Users' own secrets; see api/secrets. */
export interface SealedSecretsTable {
  tenant_key: Fixed<string>;
  name: Fixed<string>;
  /** Id of the root key they are sealed under. */
  key_id: string;
  sealed: Buffer;
  updated_at: Generated<Date>;
}

/** The API's tables. */
export interface Tables {
  users: UsersTable;
  waitlist: WaitlistTable;
  audit_events: AuditEventsTable;
  approvals: ApprovalsTable;
  sealed_secrets: SealedSecretsTable;
}

/** What the API's role may do with each table; nobody grants more anywhere else. */
export const GRANTS: Readonly<Record<keyof Tables, readonly ("select" | "insert" | "update" | "delete")[]>> = {
  users: ["select", "insert", "update"],
  waitlist: ["select", "insert", "update"],
  audit_events: ["select", "insert"],
  approvals: ["select", "insert", "update"],
  sealed_secrets: ["select", "insert", "update", "delete"],
};
