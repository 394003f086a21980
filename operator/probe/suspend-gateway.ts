import { Agent, request } from "undici";
import * as z from "zod";
import type { DrainVerdict, GatewaySuspension } from "./gateway-drainer.ts";
import type { GatewayTarget } from "./gateway-prober.ts";
import { readAnswer } from "./read-answer.ts";

const TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 3_000;

/**
 * One id for all operators: whoever leads next goes on with the lease that the one before it took. An open terminal does not
 * keep a pod: it would never be idle.
 */
const LEASE = { requestId: "hatchery-operator", terminalPolicy: "terminate", drain: true } as const;

const prepared = z.object({
  ok: z.literal(true),
  payload: z.object({
    status: z.enum(["ready", "draining", "busy"]),
    suspensionId: z.string().optional(),
  }),
});

/** Answers with which a gateway says that it will never do this: another's token, or a plugin that is not there. */
const FINAL = new Set([401, 403, 404, 405]);

/**
 * OpenClaw's own way to be stopped safely, `gateway.suspend.*` by its admin RPC: it finishes what it is at, and refuses and
 * reports as not ready meanwhile. Asking again renews.
 */
export function createGatewaySuspension(): GatewaySuspension & { close: () => Promise<void> } {
  const agent = new Agent({ connect: { timeout: CONNECT_TIMEOUT_MS }, pipelining: 0 });

  async function call(target: GatewayTarget, signal: AbortSignal, method: string, params: object) {
    const { statusCode, body } = await request(`${target.url}/api/v1/admin/rpc`, {
      dispatcher: agent,
      method: "POST",
      headers: { authorization: `Bearer ${target.token()}`, "content-type": "application/json" },
      body: JSON.stringify({ method, params }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
    return { statusCode, answer: await readAnswer(body) };
  }

  /** The lease, taken or renewed; undefined when there was no answer that says so. */
  async function prepare(target: GatewayTarget, signal: AbortSignal) {
    const { statusCode, answer } = await call(target, signal, "gateway.suspend.prepare", LEASE);
    if (FINAL.has(statusCode)) return "refused" as const;
    return prepared.safeParse(answer).data?.payload;
  }

  return {
    async suspend(target, signal) {
      return quietly(signal, undefined, async (): Promise<DrainVerdict | undefined> => {
        const lease = await prepare(target, signal);
        if (lease === "refused") return "Deaf";
        if (lease === undefined) return undefined;
        return lease.status === "ready" ? "Idle" : "Busy";
      });
    },
    async resume(target, signal) {
      return quietly(signal, false, async () => {
        // Only the lease's id lets go of it, and asking for the lease again is how one learns it.
        const lease = await prepare(target, signal);
        if (lease === undefined) return false;
        if (lease === "refused" || lease.suspensionId === undefined) return true;
        const params = { suspensionId: lease.suspensionId };
        return (await call(target, signal, "gateway.suspend.resume", params)).statusCode === 200;
      });
    },
    close: () => agent.destroy(),
  };
}

/** A gateway that breaks a call off gave no answer; only our own signal is an error. */
async function quietly<T>(signal: AbortSignal, otherwise: T, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt();
  } catch {
    signal.throwIfAborted();
    return otherwise;
  }
}
