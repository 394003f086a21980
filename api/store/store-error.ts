/** Why Postgres did not do what it was asked. */
export type StoreErrorReason =
  /** It cannot be reached, is going down or coming up, is out of connections, or took too long: later it may work. */
  | "unavailable"
  /** Two transactions were in each other's way; nothing of this one was kept. */
  | "conflict"
  /** A constraint says no. */
  | "constraint"
  /** Rights are missing: a migration was not run, or somebody tried what nobody may. */
  | "forbidden"
  | "other";

/** A failure of the store. Its message is Postgres' own: for the log, never for callers. */
export class StoreError extends Error {
  override name = "StoreError";
  readonly reason: StoreErrorReason;
  /** SQLSTATE, where Postgres gave one. */
  readonly code: string | undefined;
  /** Name of the constraint that was violated. */
  readonly constraint: string | undefined;

  constructor(
    message: string,
    o: { reason: StoreErrorReason; code?: string | undefined; constraint?: string | undefined; cause?: unknown },
  ) {
    super(message, { cause: o.cause });
    this.reason = o.reason;
    this.code = o.code;
    this.constraint = o.constraint;
  }
}

/**
 * SQLSTATE classes and codes by what they mean to us.
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const REASON_OF_CODE: readonly [prefix: string, reason: StoreErrorReason][] = [
  ["08", "unavailable"], // connection exception
  ["53", "unavailable"], // insufficient resources: connections, disk, memory
  ["57014", "unavailable"], // the statement timeout
  ["57P", "unavailable"], // shutting down, starting up, database dropped
  ["58", "unavailable"], // system error
  ["25006", "unavailable"], // a replica that is not the primary (any more)
  ["28", "unavailable"], // a role or password that is being changed
  ["55P03", "conflict"], // lock not available
  ["40", "conflict"], // serialization failure, deadlock
  ["23", "constraint"],
  ["42501", "forbidden"],
];

/** Any failure of a query or a connection as a {@link StoreError}; what has no SQLSTATE never reached Postgres or never came back. */
export function storeError(cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = field(cause, "code");
  // Errors of sockets have codes too, such as ECONNREFUSED: words of more than five characters.
  if (!code || !/^[0-9A-Z]{5}$/.test(code)) return new StoreError(message, { reason: "unavailable", cause });
  const [, reason] = REASON_OF_CODE.find(([prefix]) => code.startsWith(prefix)) ?? [code, "other" as const];
  return new StoreError(message, { reason, code, constraint: field(cause, "constraint"), cause });
}

/** True when Postgres cannot be asked right now. */
export function isUnavailable(error: unknown): boolean {
  return error instanceof StoreError && error.reason === "unavailable";
}

function field(error: unknown, name: string): string | undefined {
  if (typeof error !== "object" || error === null || !(name in error)) return undefined;
  const value = (error as Record<string, unknown>)[name];
  return typeof value === "string" ? value : undefined;
}
