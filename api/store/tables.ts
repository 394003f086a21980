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

/** Conversations, of one tenant each. */
export interface ThreadsTable {
  id: Filled<string>;
  tenant_key: Fixed<string>;
  title: string;
  kind: Fixed<"chat" | "project" | "openclaw">;
  archived: Generated<boolean>;
  /** The position of the newest message. */
  message_count: Generated<number>;
  created_at: Filled<Date>;
  updated_at: Generated<Date>;
}

/** What was said in a thread; insert only, and gone with the thread. */
export interface ThreadMessagesTable {
  thread_id: Fixed<string>;
  /** 1, 2, 3, ... of the thread. */
  position: Fixed<number>;
  /** Of whoever sent it; unique in the thread. */
  message_id: Fixed<string>;
  role: Fixed<"user" | "assistant" | "system" | "tool">;
  parts: ColumnType<Record<string, unknown>[], string, never>;
  /** Of the JSON of `parts`. */
  bytes: Fixed<number>;
  /** SHA-256 of the canonical JSON of role and parts. */
  content_hash: Fixed<Buffer>;
  created_at: Filled<Date>;
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

/** Tenants that are agents; what all tenants have is in `users`. */
export interface AgentsTable {
  /** `agent:<id>` */
  tenant_key: Fixed<string>;
  /** Tenant key of the human who answers for it; null = nobody does. */
  owner: Fixed<string | null>;
  status: Generated<"active" | "disabled">;
  created_at: Generated<Date>;
}

/** API tokens and agent keys, without what opens them. */
export interface CredentialsTable {
  /** Public: `tok_...`, `oak_...`. */
  id: Fixed<string>;
  scheme: Fixed<"api-token" | "agent-key">;
  /** Whom it acts for. */
  tenant_key: Fixed<string>;
  name: Fixed<string>;
  scopes: Fixed<string[]>;
  /** Id of the credential it was made with; null = its maker came in person. It ends with that one. */
  made_with: Fixed<string | null>;
  created_at: Generated<Date>;
  expires_at: Fixed<Date | null>;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

/** By what a credential is known again: one hash per root key it was hashed with. */
export interface CredentialHashesTable {
  hash: Fixed<string>;
  root_key_id: Fixed<string>;
  credential_id: Fixed<string>;
}

/** Number and hash of the newest audit event; Postgres' own. */
export interface AuditHeadTable {
  seq: Filled<bigint>;
  hash: Filled<Buffer>;
}

/** What each tenant was given and used; insert only. Columns that are filled are Postgres' own. */
export interface LedgerEntriesTable {
  /** A tenant key. */
  account: Fixed<string>;
  /** 1, 2, 3, ... of the account. */
  seq: Filled<bigint>;
  created_at: Filled<Date>;
  kind: Fixed<"grant" | "burn" | "adjustment">;
  amount_micro_usd: Fixed<bigint>;
  balance_after_micro_usd: Filled<bigint>;
  /** Of all entries together. */
  idempotency_key: Fixed<string>;
  meta: ColumnType<Record<string, unknown>, string, never>;
  /** A tenant key, or the name of a service. */
  created_by: Fixed<string>;
  request_id: Fixed<string>;
  prev_hash: Filled<Buffer>;
  hash: Filled<Buffer>;
}

/** The newest entry's number, balance and hash of each account; Postgres' own. */
export interface LedgerAccountsTable {
  account: Filled<string>;
  seq: Filled<bigint>;
  balance_micro_usd: Filled<bigint>;
  hash: Filled<Buffer>;
}

/** The API's tables. */
export interface Tables {
  users: UsersTable;
  waitlist: WaitlistTable;
  audit_events: AuditEventsTable;
  agents: AgentsTable;
  credentials: CredentialsTable;
  credential_hashes: CredentialHashesTable;
  threads: ThreadsTable;
  thread_messages: ThreadMessagesTable;
  approvals: ApprovalsTable;
  sealed_secrets: SealedSecretsTable;
  audit_head: AuditHeadTable;
  ledger_entries: LedgerEntriesTable;
  ledger_accounts: LedgerAccountsTable;
}

/** What the API's role may do with each table; nobody grants more anywhere else. */
export const GRANTS: Readonly<Record<keyof Tables, readonly ("select" | "insert" | "update" | "delete")[]>> = {
  users: ["select", "insert", "update"],
  waitlist: ["select", "insert", "update"],
  audit_events: ["select", "insert"],
  agents: ["select", "insert", "update"],
  credentials: ["select", "insert", "update"],
  credential_hashes: ["select", "insert"],
  threads: ["select", "insert", "update", "delete"],
  thread_messages: ["select", "insert"],
  approvals: ["select", "insert", "update"],
  sealed_secrets: ["select", "insert", "update", "delete"],
  audit_head: ["select"],
  ledger_entries: ["select", "insert"],
  ledger_accounts: ["select"],
};
