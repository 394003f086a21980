/** Reasons of our own, for failures that never were an answer of the apiserver (`status` 0). */
export const CLIENT_REASON = {
  /** The connection failed or broke; it is unknown whether the server acted. */
  network: "NetworkError",
  /** No answer in time; it is unknown whether the server acted. */
  timeout: "ClientTimeout",
  /** A watch brought neither event nor bookmark for too long. */
  watchIdle: "WatchIdle",
  /** A watch ended as soon as it began. */
  shortWatch: "ShortWatch",
  /** There was nothing to authenticate with. */
  credentials: "CredentialsUnavailable",
  /** The server sent what is not the JSON it promised. */
  malformed: "MalformedResponse",
} as const;

/** A request to the apiserver failed. */
export class KubeError extends Error {
  override name = "KubeError";
  /** HTTP status; 0 = there was no answer. */
  readonly status: number;
  /** The `reason` of the server's Status (`NotFound`, `Conflict`, ...), or one of `CLIENT_REASON`. */
  readonly reason: string;
  /** The `details` of the server's Status, where it sent any. */
  readonly details?: unknown;
  /** How long the server asked us to wait. */
  readonly retryAfterMs?: number;

  constructor(
    message: string,
    o: { status: number; reason: string; details?: unknown; retryAfterMs?: number | undefined; cause?: unknown },
  ) {
    super(message, o.cause === undefined ? undefined : { cause: o.cause });
    this.status = o.status;
    this.reason = o.reason;
    if (o.details !== undefined) this.details = o.details;
    if (o.retryAfterMs !== undefined) this.retryAfterMs = o.retryAfterMs;
  }
}

/** An ERROR event in a watch: the server ended it, and our place in the stream of events is lost. */
export class WatchStreamError extends KubeError {
  override name = "WatchStreamError";
}

/** The object is not there. */
export function isNotFound(error: unknown): boolean {
  return error instanceof KubeError && error.status === 404;
}

/** Somebody else wrote first (stale resourceVersion, wrong uid, or an apply without `force`); not a name that is taken. */
export function isConflict(error: unknown): boolean {
  if (!(error instanceof KubeError)) return false;
  return error.status === 409 ? error.reason !== "AlreadyExists" : error.status === 422 && isOfAnotherUid(error);
}

/** An apply that names a uid is called invalid where the object of that name has another. */
function isOfAnotherUid({ details }: KubeError): boolean {
  const causes = (details as { causes?: { field?: string }[] } | undefined)?.causes ?? [];
  return causes.some(({ field }) => field === "metadata.uid");
}

/** The name is taken. */
export function isAlreadyExists(error: unknown): boolean {
  return error instanceof KubeError && error.status === 409 && error.reason === "AlreadyExists";
}

/** Our credentials may not do this (RBAC, admission, quota). */
export function isForbidden(error: unknown): boolean {
  return error instanceof KubeError && error.status === 403;
}

/** The server will never accept this object as it is. */
export function isInvalid(error: unknown): boolean {
  return error instanceof KubeError && (error.status === 422 || error.status === 400);
}

/** The resourceVersion or continue token is too old: list anew. */
export function isExpired(error: unknown): boolean {
  return error instanceof KubeError && error.status === 410;
}

/** There was no answer (network or time-out), so it is unknown whether the server acted. */
export function isUnanswered(error: unknown): boolean {
  return error instanceof KubeError && error.status === 0;
}

/** The server does not know our resourceVersion yet (it lags, or was restored from a backup). */
export function isTooLargeResourceVersion(error: unknown): boolean {
  if (!(error instanceof KubeError) || error.status !== 504) return false;
  const causes = (error.details as { causes?: { reason?: string; message?: string }[] } | undefined)?.causes ?? [];
  return (
    causes.some((cause) => cause.reason === "ResourceVersionTooLarge") ||
    error.message.includes("Too large resource version")
  );
}

/**
 * The error a failed answer stands for.
 * @param what the request in words, e.g. `GET /api/v1/pods`; never holds a secret.
 */
export function errorFromResponse(what: string, status: number, body: string, retryAfter?: string): KubeError {
  const { message, ...rest } = fromStatus(what, parseStatus(body) ?? {}, status, retryAfterMs(retryAfter));
  return new KubeError(message, rest);
}

/** The error that an ERROR event's `Status` stands for. */
export function errorFromEvent(what: string, status: object): WatchStreamError {
  const { message, ...rest } = fromStatus(what, status);
  return new WatchStreamError(message, rest);
}

function fromStatus(what: string, status: Partial<Status>, code?: number, waitMs?: number) {
  const number = code ?? status.code ?? 500;
  const reason = status.reason || `HTTP${number}`;
  const seconds = (status.details as { retryAfterSeconds?: number } | undefined)?.retryAfterSeconds;
  return {
    message: `${what}: ${number} ${reason}${status.message ? `: ${status.message}` : ""}`,
    status: number,
    reason,
    details: status.details,
    retryAfterMs: waitMs ?? (seconds ? seconds * 1000 : undefined),
  };
}

interface Status {
  code: number;
  reason: string;
  message: string;
  details: unknown;
}

/** Proxies in between answer with HTML or nothing; then the status code alone speaks. */
function parseStatus(body: string): object | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === "object" && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** `Retry-After` in seconds (Kubernetes never sends the date form), as milliseconds. */
function retryAfterMs(header: string | undefined): number | undefined {
  return header !== undefined && /^\d+$/.test(header.trim()) ? Number(header) * 1000 : undefined;
}
