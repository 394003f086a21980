import { z } from "zod";
import { KubeError } from "#lib/kube/errors.ts";
import { ApiError, ERROR_STATUS, GatewayAnswerError } from "./errors.ts";

/** An error as it goes to the wire. */
export interface Fault {
  status: number;
  code: string;
  message: string;
  step?: string | undefined;
  retryAfterSeconds?: number | undefined;
  /** Nobody foresaw it: it is logged with its stack, and its text stays inside. */
  unexpected?: true;
}

/** Seconds a caller is asked to wait while the cluster can't be reached. */
export const CLUSTER_RETRY_SECONDS = 5;
/** Issues of a schema repeated in one answer at most. */
const MAX_ISSUES = 10;

/** The one place where errors become answers; anything it doesn't know is a 500 without a word from inside. */
export function faultOf(error: unknown): Fault {
  if (error instanceof ApiError) {
    const { code, message, step, retryAfterSeconds } = error;
    return { status: ERROR_STATUS[code], code, message, step, retryAfterSeconds };
  }
  if (error instanceof GatewayAnswerError) {
    const { status, code, message, retryAfterSeconds } = error;
    return { status, code, message, step: "gateway", retryAfterSeconds };
  }
  if (error instanceof z.ZodError) return invalid(describeIssues(error));
  if (error instanceof KubeError) return kubeFault(error);
  return frameworkFault(error) ?? { status: 500, code: "internal", message: "internal error", unexpected: true };
}

function invalid(message: string): Fault {
  return { status: 400, code: "invalid_request", message, step: "validate" };
}

function describeIssues(error: z.ZodError): string {
  const lines = error.issues
    .slice(0, MAX_ISSUES)
    .map((issue) => `${z.core.toDotPath(issue.path) || "body"}: ${issue.message}`);
  return lines.join("; ");
}

/** The apiserver's refusals: what it says about the tenant's object is told, what it says about us is not. */
function kubeFault(error: KubeError): Fault {
  if (error.status === 409) {
    return {
      status: 409,
      code: "conflict",
      message: "the instance was changed at the same time",
      retryAfterSeconds: 1,
    };
  }
  return {
    status: 503,
    code: "cluster_unavailable",
    message: "the cluster cannot be reached",
    retryAfterSeconds: CLUSTER_RETRY_SECONDS,
  };
}

/** Express throws errors with a `status` for what it can't read, such as a path that is no UTF-8. */
function frameworkFault(error: unknown): Fault | undefined {
  if (!(error instanceof Error) || !("status" in error) || typeof error.status !== "number") return undefined;
  return error.status >= 400 && error.status <= 499 ? invalid(error.message) : undefined;
}
