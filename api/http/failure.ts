import { KubeError } from "#lib/kube/errors.ts";
import type { Logger } from "#lib/log.ts";
import { faultOf } from "../error-mapper.ts";
import { ApiError } from "../errors.ts";
import { StoreError } from "../store/store-error.ts";
import { ABOUT_CALLER } from "./declared-errors.ts";

/** True when the error says who may call at all: its text names no operation then. */
export function isAboutCaller(error: unknown): boolean {
  return error instanceof ApiError && ABOUT_CALLER.has(error.code);
}

/** Writes down why a request was not answered as it wanted. */
export function logFailure(log: Logger, error: unknown): void {
  const fault = faultOf(error);
  const reason = error instanceof ApiError ? error.logReason : undefined;
  const fields = { code: fault.code, status: fault.status, ...(reason ? { reason } : {}) };
  if (fault.unexpected) log.error({ ...fields, err: error }, "request failed unexpectedly");
  // What the apiserver or Postgres refused us is ours to look at, whatever the caller is told.
  else if (fault.status >= 500 || error instanceof KubeError || error instanceof StoreError)
    log.warn({ ...fields, err: error }, "request failed");
  else log.info({ ...fields, error: fault.message }, "request refused");
}
