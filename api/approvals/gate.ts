import { actorOf } from "../audit/audit.ts";
import type { ApiContext } from "../context.ts";
import type { Call } from "../http/call.ts";
import type { ReadInput } from "../http/input.ts";
import type { GatedAction } from "../http/route.ts";
import { admit, type PendingApproval } from "./approvals.ts";

/**
 * Holds an agent's gated call until a human has approved it. Answers what the agent is told meanwhile, undefined when the call may
 * run, as a human's own always may.
 * @throws ApiError 403, 404, 409, 410 or 429; StoreError.
 */
export async function holdForApproval(
  { store, clock, newId }: ApiContext,
  action: GatedAction | undefined,
  { identity, requestId }: Call,
  { params, body, approvalId }: ReadInput,
): Promise<PendingApproval | undefined> {
  if (!action || identity.tenant.kind === "Human") return undefined;
  // The query says how to answer, not what to do.
  const input = { ...asRecord(params), ...asRecord(body) };
  const { tenant, owner } = identity;
  const call = { tenant, owner, tool: action.tool, input, summary: action.summarize(input), approvalId };
  return admit(store.db, call, { now: clock.now(), newId, requestId, by: actorOf(identity) });
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
