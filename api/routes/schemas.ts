import * as z from "zod";
import { wholeNumberOr } from "../http/query.ts";

/** An answer of the gateway that is passed on as it is. */
export const opaque = z.unknown().describe("As the gateway answers it.");

/** A stream of server-sent events: JSON knows none. */
export const eventStream = z.unknown().describe("Server-sent events.");

/** The gateway's own refusals, that a call of it may end with beside what the API itself says. */
export const GATEWAY_ERRORS = [
  "instance_not_found",
  "instance_not_ready",
  "instance_suspended",
  "instance_failed",
  "instance_deleting",
  "too_many_streams",
  "too_many_bytes",
  "cluster_busy",
  "gateway_error",
  "model_unauthorized",
  "cluster_unavailable",
  "instance_moved",
  "instance_unreachable",
  "gateway_timeout",
] as const;

/** What reading the tenant's instance may end with. */
export const READ_ERRORS = ["cluster_busy", "cluster_unavailable"] as const;

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
  wait: wholeNumberOr(0, 0, 120).describe("Answer when it is done, failed, or after so many seconds."),
});
