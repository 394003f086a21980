import * as z from "zod";
import { isForbidden, isInvalid, isNotFound, isUnanswered, KubeError } from "#lib/kube/errors.ts";
import { ApiError, ERROR_STATUS, GatewayAnswerError } from "./errors.ts";
import { StoreError } from "./store/store-error.ts";

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
/** ... and while Postgres can't be reached. */
const STORE_RETRY_SECONDS = 5;
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
  const known = knownFault(error);
  return known ?? { status: 500, code: "internal", message: "internal error", unexpected: true };
}

function knownFault(error: unknown): Fault | undefined {
  if (error instanceof KubeError) return kubeFault(error);
  return error instanceof StoreError ? storeFault(error) : frameworkFault(error);
}

/** Constraints and rights are checked before Postgres has to: what it refuses for them is a fault of ours. */
function storeFault({ reason }: StoreError): Fault | undefined {
  if (reason === "unavailable") {
    const message = "the database cannot be reached";
    return { status: 503, code: "store_unavailable", message, retryAfterSeconds: STORE_RETRY_SECONDS };
  }
  if (reason !== "conflict") return undefined;
  return { status: 409, code: "conflict", message: "the same was changed at the same time", retryAfterSeconds: 1 };
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

/** The apiserver's refusals. Their words may be about us (names, addresses, rights): they are for the log. */
function kubeFault(error: KubeError): Fault | undefined {
  if (isNotFound(error) || error.status === 409) {
    const message = "the instance was changed at the same time";
    return { status: 409, code: "conflict", message, retryAfterSeconds: 1 };
  }
  if (isForbidden(error)) {
    const message = "the cluster does not allow this, for example since a quota is used up";
    return { status: 403, code: "instance_forbidden", message };
  }
  if (isInvalid(error)) {
    return { status: 409, code: "instance_rejected", message: "the cluster does not take the instance as it is" };
  }
  if (error.status === 429) {
    const retryAfterSeconds = (error.retryAfterMs ?? CLUSTER_RETRY_SECONDS * 1000) / 1000;
    return { status: 429, code: "cluster_busy", message: "the cluster is busy", retryAfterSeconds };
  }
  if (!isUnanswered(error) && error.status < 500) return undefined;
  const message = "the cluster cannot be reached";
  return { status: 503, code: "cluster_unavailable", message, retryAfterSeconds: CLUSTER_RETRY_SECONDS };
}

/** Express throws errors with a `status` for what it can't read, such as a path that is no UTF-8. */
function frameworkFault(error: unknown): Fault | undefined {
  if (!(error instanceof Error) || !("status" in error) || typeof error.status !== "number") return undefined;
  return error.status >= 400 && error.status <= 499 ? invalid(error.message) : undefined;
}
