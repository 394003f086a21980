import * as z from "zod";
import { ApiError, GatewayAnswerError } from "../errors.ts";
import type { Call } from "../http/call.ts";
import { INSTANCE_RETRY_SECONDS, type Upstream } from "../instances/upstream.ts";
import { callGateway } from "../proxy/call-gateway.ts";
import { outgoingJson } from "../proxy/outgoing-body.ts";
import { type GatewayProxy, READ_TIMEOUT_MS } from "../proxy/proxy.ts";

/** Where our plugin serves the gateway's methods; the WebSocket door wants a paired device for them. */
const RPC_PATH = "/hatchery/rpc";

/** A call of one gateway method. */
export interface GatewayMethod<T> {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  /** What is read of the answer; the rest of it gets no further. */
  readonly payload: z.ZodType<T>;
  /** `read` changes nothing, so it may be asked again whatever became of it; a `change` may have been made when its answer is lost. */
  readonly kind: "read" | "change";
}

/**
 * Calls a method of the tenant's gateway as its operator; answers the payload.
 * @throws GatewayAnswerError with the gateway's status and words when it refuses a change or is busy; ApiError 502 to 504 when the
 * call fails, a read is refused, or the answer is not what the method answers.
 */
export async function callMethod<T>(
  proxy: GatewayProxy,
  call: Call,
  upstream: Upstream,
  { method, params, payload, kind }: GatewayMethod<T>,
): Promise<T> {
  const body = outgoingJson({ method, params });
  const answer = await callGateway(proxy, call, upstream, { path: RPC_PATH, body, timeoutMs: READ_TIMEOUT_MS }).catch(
    (error: unknown) => {
      throw methodError(error, kind);
    },
  );
  const success = z.object({ ok: z.literal(true), payload }).safeParse(answer);
  if (success.success) return success.data.payload;
  proxy.metrics.upstreamErrors.inc({ reason: "malformed" });
  const where = success.error.issues.map((issue) => z.core.toDotPath(issue.path)).slice(0, 3);
  throw new ApiError("gateway_error", `the instance's answer to ${method} is not understood`, {
    step: "gateway",
    logReason: `unexpected at ${where.join(", ")}`,
  });
}

/**
 * Changes something that may be gone by now. The gateway has one code for all that it refuses, and its words change; so after a
 * refusal it is asked what there is.
 * @throws what `gone` makes when it is not there any more, else what `change` throws.
 */
export async function changeExisting<T>(o: {
  change: () => Promise<T>;
  isThere: () => Promise<boolean>;
  gone: (cause: unknown) => ApiError;
}): Promise<T> {
  try {
    return await o.change();
  } catch (error) {
    if (!isRefusal(error) || (await o.isThere())) throw error;
    throw o.gone(error);
  }
}

/** The gateway did not want to, as opposed to could not. */
function isRefusal(error: unknown): boolean {
  return error instanceof GatewayAnswerError && error.status === 400;
}

function methodError(error: unknown, kind: "read" | "change"): unknown {
  if (error instanceof GatewayAnswerError) return refusedError(error, kind);
  // Without a cause it was not the way to the gateway that failed: asking again gives the same.
  if (!(error instanceof ApiError) || error.cause === undefined) return error;
  if (error.code !== "gateway_error" && error.code !== "gateway_timeout") return error;
  const { code, step = "gateway", logReason, cause } = error;
  const rest = { step, cause, ...(logReason === undefined ? {} : { logReason }) };
  return kind === "read"
    ? new ApiError(code, error.message, { ...rest, retryAfterSeconds: INSTANCE_RETRY_SECONDS })
    : new ApiError(code, `${error.message}: the change may have been made, look before you repeat it`, rest);
}

function refusedError(error: GatewayAnswerError, kind: "read" | "change"): unknown {
  const { status, code, message } = error;
  const options = { step: "gateway", cause: error };
  if ((status === 404 || status === 405) && code === "gateway_error") {
    return new ApiError("gateway_error", `the instance's image does not serve POST ${RPC_PATH}`, options);
  }
  // Nothing of a read is the caller's: what the gateway refuses of it is between the two of us.
  const isOurs = kind === "read" && status < 429;
  const isFault = status >= 500 && status !== 503 && status !== 504;
  return isOurs || isFault ? new ApiError("gateway_error", message, options) : error;
}
