import * as z from "zod";
import { ApiError, GatewayAnswerError } from "../errors.ts";
import { INSTANCE_RETRY_SECONDS } from "../instances/upstream.ts";
import { type GatewayHeaders, retryAfterSeconds } from "./headers.ts";

/** Errors of the gateway: OpenAI's shape, `{ok: false, error: {type, message}}` of its tools, or `{..., error: {code, message}}` of its methods. */
const word = z.string().catch("");
const errorBody = z.object({ error: z.object({ message: word, type: word, code: word }) });
/** Longest text of the gateway that is repeated. */
const MAX_MESSAGE = 1000;
/** Suspending and restarting gateways say no time. */
const DEFAULT_RETRY_SECONDS = 5;

/** An answer of the gateway other than success, read whole. */
export interface Refusal {
  status: number;
  headers: GatewayHeaders;
  body: string;
}

/**
 * What a gateway's refusal means to the caller. Its 401 is never passed on: the caller's own credential was good. Either the
 * address belongs to another slot by now, or the model provider refused the instance.
 */
export function refusalError({ status, headers, body }: Refusal): ApiError | GatewayAnswerError {
  const { message, type } = parse(body);
  if (status === 401) return type === "authentication_error" ? modelUnauthorized(message) : moved();
  if (status < 400) return new ApiError("gateway_error", `the instance answered ${status}`, { step: "gateway" });
  const retry = retryAfterSeconds(headers) ?? (status === 503 ? DEFAULT_RETRY_SECONDS : undefined);
  return new GatewayAnswerError(status, codeOf(type), message || `the instance answered ${status}`, retry);
}

/** True when the refusal says that somebody else lives at this address now. */
export function isMoved(error: unknown): boolean {
  return error instanceof ApiError && error.code === "instance_moved";
}

function moved(): ApiError {
  return new ApiError("instance_moved", "the instance is moving, try again", {
    step: "gateway",
    retryAfterSeconds: INSTANCE_RETRY_SECONDS,
    logReason: "the gateway refused the slot's token",
  });
}

function modelUnauthorized(message: string): ApiError {
  return new ApiError("model_unauthorized", `the model provider refused the instance: ${message}`, { step: "model" });
}

function parse(body: string): { message: string; type: string } {
  try {
    const { error } = errorBody.parse(JSON.parse(body));
    return { message: error.message.slice(0, MAX_MESSAGE), type: error.type || error.code.toLowerCase() };
  } catch {
    // Not the gateway's words (an empty body, HTML of something in between): the status alone speaks.
    return { message: "", type: "" };
  }
}

function codeOf(type: string): string {
  return /^[a-z][a-z0-9_]{0,63}$/.test(type) ? type : "gateway_error";
}
