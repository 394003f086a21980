import * as z from "zod";
import { type OpenClawInstance, PHASE } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { faultOf } from "../error-mapper.ts";
import { callMethod } from "../gateway/rpc.ts";
import type { Call } from "../http/call.ts";
import { phaseOf } from "../instances/phase.ts";
import { withUpstream } from "../proxy/proxy.ts";
import { type Check, skipped, well } from "./check.ts";

/** Longest wait for the one call. */
const PATIENCE_MS = 5_000;

/** Calls the tenant's gateway as every chat does, right now. Never throws but when the client leaves. */
export async function checkCall(
  { proxy, clock }: Pick<ApiContext, "proxy" | "clock">,
  call: Call,
  instance: OpenClawInstance | undefined,
): Promise<Check> {
  if (!instance || phaseOf(instance) !== PHASE.Ready) return skipped("call", "Nothing is there to be called yet.");
  const late = new AbortController();
  const cancel = clock.setTimer(() => late.abort(), PATIENCE_MS);
  const started = clock.monotonic();
  const health = { method: "health", params: {}, payload: z.unknown(), kind: "read" } as const;
  try {
    const patient = call.until(AbortSignal.any([call.signal, late.signal]));
    await withUpstream(proxy, patient, (upstream) => callMethod(proxy, patient, upstream, health));
    return well(
      "call",
      `Its gateway answered an authenticated call within ${Math.ceil(clock.monotonic() - started)} ms.`,
    );
  } catch (error) {
    if (call.signal.aborted) throw error;
    const { code, message } = late.signal.aborted
      ? { code: "gateway_timeout", message: `its gateway did not answer within ${PATIENCE_MS / 1000} s` }
      : faultOf(error);
    return {
      link: "call",
      status: "failed",
      reason: code,
      message: `The call failed: ${message}.`,
      next_step: "Try again in a minute; if it lasts, POST /api/openclaw/runtime/restart.",
    };
  } finally {
    cancel();
  }
}
