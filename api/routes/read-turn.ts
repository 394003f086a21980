import type * as z from "zod";
import { tenantKey } from "#crds/index.ts";
import type { ApiContext } from "../context.ts";
import { turnBody } from "../gateway/turn.ts";
import { CHAT_BODY_BYTES, readJsonBody } from "../http/body.ts";
import type { Call } from "../http/call.ts";
import { type OutgoingBody, outgoingJson } from "../proxy/outgoing-body.ts";

/**
 * Reads the body of a turn and answers what goes to the gateway. A place of its own: what a turn's own function holds stays in
 * memory until the turn is over.
 * @throws ApiError like {@link readJsonBody}.
 */
export async function readTurn(
  { clock, bodies }: ApiContext,
  call: Call,
  complete: (body: z.output<typeof turnBody>) => object,
): Promise<OutgoingBody> {
  const options = { clock, budget: bodies, owner: tenantKey(call.tenant), limitBytes: CHAT_BODY_BYTES };
  const { value, release } = await readJsonBody(call, options);
  return outgoingJson(complete(turnBody.parse(value)), release);
}
