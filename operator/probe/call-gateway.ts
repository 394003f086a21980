import { Agent, request } from "undici";
import { REASON } from "#crds/index.ts";
import type { GatewayCall } from "./gateway-prober.ts";
import type { GatewayVerdict } from "./gateway-verdict.ts";

/** A local call that answers from memory; a gateway that needs longer is not well. */
const TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 3_000;

/**
 * Calls `GET /v1/models` with the slot's token: it passes through the whole gateway and its authentication, and costs neither a
 * session nor a model call. One connection per call, as there is only one call.
 */
export function createGatewayCall(): { call: GatewayCall; close: () => Promise<void> } {
  const agent = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, pipelining: 0 });
  const call: GatewayCall = async ({ url, token }, signal) => {
    try {
      const { statusCode, body } = await request(`${url}/v1/models`, {
        dispatcher: agent,
        headers: { authorization: `Bearer ${token()}` },
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      await body.dump();
      return judge(statusCode);
    } catch (error) {
      signal.throwIfAborted();
      return {
        reachable: false,
        reason: REASON.GatewaySilent,
        message: `The gateway does not answer: ${causeOf(error)}.`,
      };
    }
  };
  return { call, close: () => agent.destroy() };
}

function judge(status: number): GatewayVerdict {
  if (status === 200) return { reachable: true };
  if (status === 401 || status === 403) {
    const message = `The gateway at the pod's address refuses this slot's token (HTTP ${status}).`;
    return { reachable: false, reason: REASON.GatewayUnauthorized, message };
  }
  return { reachable: false, reason: REASON.GatewayError, message: `The gateway answers with HTTP ${status}.` };
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? `${code} ${error.message}` : error.message;
}
