import type * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { readJsonBody, TOOL_BODY_BYTES } from "./body.ts";
import type { Call, PublicCall } from "./call.ts";
import type { Input, Route } from "./route.ts";

type AnyInput = Input<z.ZodType, z.ZodType, z.ZodType>;

/** Whose bytes are counted for callers who need no credential: all of them together. */
const NOBODY = "public";

/**
 * Reads and checks what the route takes.
 * @throws ZodError whose paths begin with `params`, `query` or the body's own fields; ApiError like `readJsonBody`.
 */
export async function readInput(context: ApiContext, route: Route, call: PublicCall | Call): Promise<AnyInput> {
  const { req } = call;
  const params = route.params?.parse(req.params) ?? {};
  const query = route.query?.parse(req.query) ?? {};
  if (!route.body) return { params, query, body: {} };
  if (route.bodyIsOptional && hasNoBody(call)) return { params, query, body: route.body.parse({}) };
  const owner = "tenant" in call ? tenantKey(call.tenant) : NOBODY;
  const { value } = await readJsonBody(call, {
    clock: context.clock,
    budget: context.bodies,
    owner,
    limitBytes: TOOL_BODY_BYTES,
  });
  return { params, query, body: route.body.parse(value) };
}

/** A body has a length or comes in chunks (RFC 9112, 6.3). */
function hasNoBody({ req }: PublicCall): boolean {
  return req.headers["transfer-encoding"] === undefined && Number(req.headers["content-length"] ?? 0) === 0;
}
