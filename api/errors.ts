/** Every code an answer of ours can carry, with its HTTP status. Statuses of the gateway itself come by {@link GatewayAnswerError}. */
export const ERROR_STATUS = {
  invalid_request: 400,
  missing_user_id: 400,
  unauthorized: 401,
  access_denied: 403,
  insufficient_scope: 403,
  admin_required: 403,
  humans_only: 403,
  approval_rejected: 403,
  instance_forbidden: 403,
  origin_not_allowed: 403,
  not_found: 404,
  instance_not_found: 404,
  session_not_found: 404,
  thread_not_found: 404,
  approval_not_found: 404,
  device_request_not_found: 404,
  device_not_found: 404,
  pairing_channel_not_found: 404,
  pairing_code_not_found: 404,
  user_not_found: 404,
  waitlist_entry_not_found: 404,
  token_not_found: 404,
  agent_not_found: 404,
  agent_key_not_found: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  instance_not_ready: 409,
  instance_suspended: 409,
  instance_failed: 409,
  instance_deleting: 409,
  instance_rejected: 409,
  name_taken: 409,
  conflict: 409,
  own_access: 409,
  too_many_tokens: 409,
  too_many_agents: 409,
  too_many_keys: 409,
  approval_mismatch: 409,
  approval_decided: 409,
  approval_expired: 410,
  approval_used: 410,
  idempotency_conflict: 409,
  balance_out_of_range: 409,
  too_many_threads: 409,
  thread_full: 409,
  payload_too_large: 413,
  upgrade_required: 426,
  too_many_streams: 429,
  too_many_bytes: 429,
  rate_limited: 429,
  too_many_approvals: 429,
  cluster_busy: 429,
  client_gone: 499,
  internal: 500,
  not_implemented: 501,
  gateway_error: 502,
  model_unauthorized: 502,
  cluster_unavailable: 503,
  store_unavailable: 503,
  issuer_unavailable: 503,
  shutting_down: 503,
  instance_moved: 503,
  instance_unreachable: 503,
  gateway_timeout: 504,
} as const;

/** A code of {@link ERROR_STATUS}. */
export type ErrorCode = keyof typeof ERROR_STATUS;

/** What an error may carry beside code and text. */
export interface ApiErrorOptions {
  /** Where in the operation it failed, e.g. `get_instance`; shown in the text. */
  step?: string;
  /** Sent as `Retry-After`, seconds. */
  retryAfterSeconds?: number;
  /** For the log only: why, where the caller must not learn it. */
  logReason?: string;
  cause?: unknown;
}

/** An answer other than success, on purpose; its message goes to the caller, so it holds nothing from inside. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly code: ErrorCode;
  readonly step: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly logReason: string | undefined;

  constructor(code: ErrorCode, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.step = options.step;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.logReason = options.logReason;
  }
}

/** The tenant's own gateway answered with an error; its status is kept and its words are passed on. */
export class GatewayAnswerError extends Error {
  override name = "GatewayAnswerError";
  /** 400 to 599, as the gateway gave it. */
  readonly status: number;
  /** The gateway's error type in snake_case, or `gateway_error`. */
  readonly code: string;
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, code: string, message: string, retryAfterSeconds?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
