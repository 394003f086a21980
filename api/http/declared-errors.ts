import type { ErrorCode } from "../errors.ts";
import type { Route } from "./route.ts";

/** Who may call at all is no step of an operation: texts of these begin with no operation. */
export const ABOUT_CALLER: ReadonlySet<ErrorCode> = new Set([
  "unauthorized",
  "issuer_unavailable",
  "missing_user_id",
  "access_denied",
  "insufficient_scope",
  "admin_required",
  "humans_only",
]);

/** What any route may end with for no fault of its own. */
const ALWAYS: readonly ErrorCode[] = ["internal"];
/** What reading a JSON body may end with. */
const OF_BODY: readonly ErrorCode[] = ["invalid_request", "request_timeout", "payload_too_large", "too_many_bytes"];
/** What an agent's call may end with that needs a human's approval. */
const OF_APPROVAL: readonly ErrorCode[] = [
  "approval_not_found",
  "approval_mismatch",
  "approval_used",
  "approval_rejected",
  "approval_expired",
  "too_many_approvals",
];

/**
 * Every error code that the route itself may answer: those it declares, and those that follow from who may call it and from what
 * it takes. The gateway's own, where `relaysErrors` passes them on, are not among them.
 */
export function errorCodesOf(route: Route): ReadonlySet<ErrorCode> {
  return new Set([...ALWAYS, ...route.errors, ...codesOfAccess(route), ...codesOfInput(route)]);
}

function codesOfAccess(route: Route): ErrorCode[] {
  if (route.access === "public") return "limitedByAddress" in route && route.limitedByAddress ? ["rate_limited"] : [];
  if (route.access === "control") return ["unauthorized", "store_unavailable"];
  return [
    "unauthorized",
    "issuer_unavailable",
    "missing_user_id",
    "invalid_request",
    "rate_limited",
    "store_unavailable",
    ...(route.scope === null ? [] : (["insufficient_scope"] as const)),
    ...(route.access === "signed-in" ? [] : (["access_denied"] as const)),
    ...(route.access === "admin" ? (["admin_required"] as const) : []),
    ...(route.humansOnly ? (["humans_only"] as const) : []),
  ];
}

function codesOfInput(route: Route): ErrorCode[] {
  const isGated = "gated" in route && route.gated !== undefined;
  return [
    ...(route.params || route.query || route.openclawHeaders ? (["invalid_request"] as const) : []),
    ...(route.body || route.lateBody || isGated ? OF_BODY : []),
    ...(isGated ? OF_APPROVAL : []),
  ];
}
