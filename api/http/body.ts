import { json } from "express";
import { type Clock, sleep } from "#lib/clock.ts";
import { ApiError } from "../errors.ts";
import type { PublicCall } from "./call.ts";

/** Longest time a client may take to send its body. */
const BODY_TIMEOUT_MS = 120_000;

/** Body limits, in bytes: the gateway's own. */
export const CHAT_BODY_BYTES = 20 * 1024 * 1024;
export const TOOL_BODY_BYTES = 2 * 1024 * 1024;

/**
 * The request's JSON body, undefined when there is none. Called by the handlers that need one, so that nothing is read for a
 * request that is refused anyway.
 * @throws Error of the body parser with `status` 400 or 413; ApiError 408 when it takes too long.
 */
export async function readJsonBody(call: PublicCall, clock: Clock, limitBytes: number): Promise<unknown> {
  const read = new AbortController();
  try {
    const late = sleep(clock, BODY_TIMEOUT_MS, read.signal).then(() => {
      if (!read.signal.aborted) throw new ApiError("request_timeout", "the body took too long", { step: "validate" });
    });
    await Promise.race([parse(call, limitBytes), late]);
  } finally {
    read.abort();
  }
  return call.req.body;
}

/** Callers from the old days send JSON without saying so; the type is not looked at. */
function parse({ req, res }: PublicCall, limit: number): Promise<void> {
  return new Promise((resolve, reject) => {
    json({ limit, strict: false, type: () => true })(req, res, (error?: unknown) => {
      if (error) reject(error instanceof Error ? error : new Error("the body cannot be read", { cause: error }));
      else resolve();
    });
  });
}
