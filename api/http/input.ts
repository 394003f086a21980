import * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { PUBLIC_BODY_BYTES, readJsonBody, TOOL_BODY_BYTES } from "./body.ts";
import type { Call, PublicCall } from "./call.ts";
import type { Input, Route } from "./route.ts";

/** What a request brought, checked. */
export interface ReadInput extends Input<z.ZodType, z.ZodType, z.ZodType> {
  /** The approval that an agent's gated call refers to. */
  readonly approvalId: string | undefined;
}

/** Whose bytes are counted for callers who need no credential: all of them together. */
const NOBODY = "public";

/** How a gated call names its approval, in its body or its query. */
const approvalId = z.object({ approvalId: z.uuid().optional() });

/**
 * Reads and checks what the route takes. A gated call may carry `approvalId` besides, which is no part of what it asks for.
 * @throws ZodError with the paths of wrong fields; ApiError like `readJsonBody`.
 */
export async function readInput(context: ApiContext, route: Route, call: PublicCall | Call): Promise<ReadInput> {
  const { req } = call;
  const isGated = "gated" in route && route.gated !== undefined;
  const params = route.params?.parse(req.params) ?? {};
  const query = route.query?.parse(req.query) ?? {};
  const inQuery = isGated ? approvalId.parse(req.query).approvalId : undefined;
  // What a gated route takes without a schema is an approval's id, if anything, and that is an agent's.
  const isRead = route.body !== undefined || (isGated && "tenant" in call && call.tenant.kind === "Agent");
  const sent = isRead ? await readBody(context, route, call) : {};
  const { rest, named } = isGated ? takeApprovalId(sent) : { rest: sent, named: undefined };
  return {
    params,
    query,
    body: route.body?.parse(rest) ?? {},
    approvalId: named ?? inQuery,
  };
}

async function readBody(context: ApiContext, route: Route, call: PublicCall | Call): Promise<unknown> {
  const owner = "tenant" in call ? tenantKey(call.tenant) : NOBODY;
  const limitBytes = route.access === "public" ? PUBLIC_BODY_BYTES : TOOL_BODY_BYTES;
  const limits = { clock: context.clock, budget: context.bodies, limitBytes };
  const isOptional = route.bodyIsOptional || !route.body;
  return (await readJsonBody(call, { ...limits, owner, ...(isOptional ? { emptyIs: {} } : {}) })).value;
}

function takeApprovalId(sent: unknown): { rest: unknown; named: string | undefined } {
  if (typeof sent !== "object" || sent === null || Array.isArray(sent)) return { rest: sent, named: undefined };
  const { approvalId: _taken, ...rest } = sent as Record<string, unknown>;
  return { rest, named: approvalId.parse(sent).approvalId };
}
