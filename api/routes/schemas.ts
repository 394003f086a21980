import * as z from "zod";

/** An answer of the gateway that is passed on as it is. */
export const opaque = z.unknown().describe("As the gateway answers it.");

/** A stream of server-sent events. */
export const eventStream = z.string().describe("Server-sent events.");

/** The gateway's own refusals, that a call of it may end with beside what the API itself says. */
export const GATEWAY_ERRORS = [
  "instance_not_found",
  "instance_not_ready",
  "instance_suspended",
  "instance_failed",
  "instance_deleting",
  "too_many_streams",
  "gateway_error",
  "cluster_unavailable",
  "instance_moved",
  "instance_unreachable",
  "gateway_timeout",
] as const;

/** What reading the tenant's instance may end with. */
export const READ_ERRORS = ["cluster_unavailable"] as const;

/** What changing the tenant's instance may end with. */
export const WRITE_ERRORS = [
  "instance_forbidden",
  "instance_rejected",
  "instance_deleting",
  "name_taken",
  "conflict",
  "cluster_busy",
  "cluster_unavailable",
] as const;

/** How long an answer about the instance may wait until the instance is what was asked for. */
export const waitQuery = z.object({
  wait: z.coerce
    .number()
    .int()
    .min(0)
    .max(120)
    .default(0)
    .describe("Answer when it is done, failed, or after so many seconds."),
});
