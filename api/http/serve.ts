import type { RequestHandler } from "express";
import { KubeError } from "#lib/kube/errors.ts";
import { holdForApproval } from "../approvals/gate.ts";
import { requireControlKey } from "../auth/control-key.ts";
import type { ApiContext } from "../context.ts";
import { faultOf } from "../error-mapper.ts";
import { ApiError, type ErrorCode } from "../errors.ts";
import { StoreError } from "../store/store-error.ts";
import { authorize } from "./authorize.ts";
import { clientSignal, type PublicCall } from "./call.ts";
import { addressOf } from "./client-address.ts";
import { sendData, sendFault, surfaceOf } from "./envelope.ts";
import { readInput } from "./input.ts";
import type { Route } from "./route.ts";

/**
 * The one way of a request: who calls and whether they may, what they sent, then the route's own work, then one error mapper for
 * all that was thrown.
 */
export function serve(context: ApiContext, route: Route): RequestHandler {
  const surface = surfaceOf(route.path);
  return async (req, res) => {
    const requestId = String(res.getHeader("x-request-id"));
    const log = context.log.child({ requestId, route: route.path });
    const call: PublicCall = { req, res, requestId, log, signal: clientSignal(res) };
    res.locals.route = route.path;
    try {
      await run(context, route, call);
    } catch (error) {
      report(call, error);
      const fault = faultOf(error);
      if (res.headersSent || res.destroyed) {
        // The status sent says nothing of it.
        if (!res.destroyed) res.locals.cutStatus = fault.status;
        res.destroy();
        return;
      }
      const operation = isAboutCaller(error) ? undefined : route.operation;
      sendFault(res, fault, { surface, requestId, operation });
    }
  };
}

async function run(context: ApiContext, route: Route, call: PublicCall): Promise<void> {
  if (route.access === "public" || route.access === "control") {
    if (route.access === "control") requireControlKey(call.req.headersDistinct, context.controlKey);
    else if (route.limitedByAddress) context.addressRate.take(addressOf(call.req));
    const input = await readInput(context, route, call);
    return sendData(call.res, await route.answer(call, input), call.requestId);
  }
  const { identity, isAdmin } = await authorize(context, route, call);
  const own = { ...call, identity, isAdmin, tenant: identity.tenant };
  const input = await readInput(context, route, own);
  const waiting = await holdForApproval(context, route.gated, own, input);
  if (waiting) return sendData(call.res, waiting, call.requestId, 202);
  if ("stream" in route) return route.stream(own, input);
  sendData(call.res, await route.answer(own, input), call.requestId);
}

/** Who may call at all is no step of an operation. */
const ABOUT_CALLER: ReadonlySet<ErrorCode> = new Set([
  "unauthorized",
  "issuer_unavailable",
  "missing_user_id",
  "access_denied",
  "insufficient_scope",
  "admin_required",
  "humans_only",
]);

function isAboutCaller(error: unknown): boolean {
  return error instanceof ApiError && ABOUT_CALLER.has(error.code);
}

function report(call: PublicCall, error: unknown): void {
  if (call.signal.aborted) return;
  const fault = faultOf(error);
  const reason = error instanceof ApiError ? error.logReason : undefined;
  const fields = { code: fault.code, status: fault.status, ...(reason ? { reason } : {}) };
  if (fault.unexpected) call.log.error({ ...fields, err: error }, "request failed unexpectedly");
  // What the apiserver or Postgres refused us is ours to look at, whatever the caller is told.
  else if (fault.status >= 500 || error instanceof KubeError || error instanceof StoreError)
    call.log.warn({ ...fields, err: error }, "request failed");
  else call.log.info({ ...fields, error: fault.message }, "request refused");
}
