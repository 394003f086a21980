import { errors } from "undici";
import { ApiError } from "../errors.ts";
import { INSTANCE_RETRY_SECONDS } from "../instances/upstream.ts";
import type { UpstreamErrorReason } from "./metrics.ts";

/** A failed call to a gateway: what to count and what to answer. */
export interface UpstreamFailure {
  reason: UpstreamErrorReason;
  error: ApiError;
}

/** No connection came about, so nothing can have run. */
const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
]);
const TIMEOUT = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);

/** What a transport error before the first byte of the answer means to the caller. */
export function upstreamFailure(cause: unknown): UpstreamFailure {
  const code = codeOf(cause);
  if (UNREACHABLE.has(code)) {
    const options = { step: "gateway", retryAfterSeconds: INSTANCE_RETRY_SECONDS, logReason: code, cause };
    return {
      reason: "unreachable",
      error: new ApiError("instance_unreachable", "the instance cannot be reached right now", options),
    };
  }
  if (TIMEOUT.has(code)) {
    return {
      reason: "timeout",
      error: new ApiError("gateway_timeout", "the instance did not answer in time", { step: "gateway", cause }),
    };
  }
  return {
    reason: cause instanceof errors.HTTPParserError ? "malformed" : "reset",
    error: new ApiError("gateway_error", "the instance broke off the call", {
      step: "gateway",
      logReason: code,
      cause,
    }),
  };
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
