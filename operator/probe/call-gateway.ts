import { Agent, request } from "undici";
import { z } from "zod";
import { REASON } from "#crds/index.ts";
import type { GatewayCall, GatewayTarget } from "./gateway-prober.ts";
import type { GatewayVerdict } from "./gateway-verdict.ts";
import { readAnswer } from "./read-answer.ts";

/** A local call that answers from memory; a gateway that needs longer is not well. */
const TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 3_000;

/** What our plugin in the gateway tells; sizes in bytes. */
const health = z.object({
  volume: z.object({ full: z.boolean(), sizeBytes: z.number(), availableBytes: z.number() }),
});

/** Where to ask: our plugin's own route, else one that every OpenClaw has. Both are behind the gateway's authentication. */
const ROUTES = ["/hatchery/health", "/v1/models"] as const;

/**
 * Calls the gateway with the slot's token: the call passes through the whole gateway and its authentication, and costs neither a
 * session nor a model call. Connections are not kept, as the next call is minutes away.
 */
export function createGatewayCall(): { call: GatewayCall; close: () => Promise<void> } {
  const agent = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, pipelining: 0 });

  async function get({ url, token }: GatewayTarget, route: string, signal: AbortSignal) {
    const { statusCode, body } = await request(url + route, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${token()}` },
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    return { status: statusCode, body: await readAnswer(body) };
  }

  const call: GatewayCall = async (target, signal) => {
    try {
      const [own, models] = ROUTES;
      const answer = await get(target, own, signal);
      return answer.status === 404
        ? judge((await get(target, models, signal)).status)
        : judge(answer.status, answer.body);
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

function judge(status: number, body?: unknown): GatewayVerdict {
  if (status === 200) return judgeHealth(body);
  if (status === 401 || status === 403) {
    const message = `The gateway at the pod's address refuses this slot's token (HTTP ${status}).`;
    return { reachable: false, reason: REASON.GatewayUnauthorized, message };
  }
  return { reachable: false, reason: REASON.GatewayError, message: `The gateway answers with HTTP ${status}.` };
}

/** A gateway of another make than ours serves as well, and tells nothing of its volume. */
function judgeHealth(body: unknown): GatewayVerdict {
  const { volume } = health.safeParse(body).data ?? {};
  if (!volume?.full) return { reachable: true };
  const used = mebibytes(volume.sizeBytes - volume.availableBytes);
  const message = `The volume is full: ${used} of ${mebibytes(volume.sizeBytes)} are used, and OpenClaw fails to chat. Raise storage.size of the instance or its class, or remove files; the gateway starts anew once there is room.`;
  return { reachable: false, reason: REASON.StorageFull, message };
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? `${code} ${error.message}` : error.message;
}
