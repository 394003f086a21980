import type { RequestHandler } from "express";
import { holdForApproval } from "../approvals/gate.ts";
import { requireControlKey } from "../auth/control-key.ts";
import type { ApiContext } from "../context.ts";
import { faultOf } from "../error-mapper.ts";
import { authorize } from "./authorize.ts";
import { PublicCall } from "./call.ts";
import { addressOf } from "./client-address.ts";
import { checkData, contentDrift, Drift, faultDrift } from "./drift.ts";
import { sendData, sendFault, surfaceOf } from "./envelope.ts";
import { isAboutCaller, logFailure } from "./failure.ts";
import { readInput } from "./input.ts";
import type { ControlRoute, PublicRoute, Route, TenantRoute } from "./route.ts";
import { sendDocument } from "./static-document.ts";

/**
 * The one way of a request: who calls and whether they may, what they sent, then the route's own work, then one error mapper for
 * all that was thrown.
 */
export function serve(context: ApiContext, route: Route): RequestHandler {
  const surface = surfaceOf(route.path);
  return async (req, res) => {
    const requestId = String(res.getHeader("x-request-id"));
    const call = new PublicCall({ req, res, requestId, log: context.log, route: route.path });
    res.locals.route = route.path;
    try {
      await run(context, route, call);
    } catch (error) {
      if (!call.isAbandoned) logFailure(call.log, error);
      const fault = faultOf(error);
      watch(context, () => (error instanceof Drift ? error : faultDrift(route, error, fault)));
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
  if ("document" in route) return sendDocument(call.req, call.res, route.document());
  if (route.access === "public" || route.access === "control") {
    if (route.access === "control") requireControlKey(call.req.headersDistinct, context.controlKey);
    else if (route.limitedByAddress) context.addressRate.take(addressOf(call.req));
    const input = await readInput(context, route, call);
    return sendResult(context, route, call, await route.answer(call, input));
  }
  const { identity, isAdmin } = await authorize(context, route, call.req.headersDistinct);
  const own = call.by(identity, isAdmin);
  const input = await readInput(context, route, own);
  const waiting = await holdForApproval(context, route.gated, own, input);
  if (waiting) return sendData(call.res, waiting, call.requestId, 202);
  if ("answer" in route) return sendResult(context, route, call, await route.answer(own, input));
  await route.stream(own, input);
  watch(context, () => contentDrift(route, call.res));
}

function sendResult(
  context: ApiContext,
  route: PublicRoute | ControlRoute | TenantRoute,
  { res, requestId }: PublicCall,
  data: unknown,
): void {
  if (context.onDrift) checkData(route, data);
  sendData(res, data, requestId);
}

function watch({ onDrift }: ApiContext, look: () => Drift | undefined): void {
  const drift = onDrift && look();
  if (drift) onDrift(drift);
}
