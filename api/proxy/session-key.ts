import * as z from "zod";
import { ApiError } from "../errors.ts";

/** What a caller may name a session it writes to. The gateway lower-cases keys, so we do before it. */
const WRITABLE = /^[a-z0-9:._-]{1,128}$/;
/** Kinds of sessions that OpenClaw runs by itself; nobody writes into them from outside. */
const INTERNAL = /^(subagent|cron|acp):/;
/** The full form in which the gateway lists its sessions. */
const MAIN_AGENT = "agent:main:";
/** A key that is only looked up; channels put peer ids of all kinds into theirs. */
const READABLE = /^[\x21-\x7e]{1,512}$/;

/** The session a chat belongs to that names none. */
export const DEFAULT_SESSION = "main";

/**
 * A session key to write to, in the gateway's spelling.
 * @throws ApiError 400 naming `field`.
 */
export function parseSessionKey(text: string, field: string): string {
  const key = text.toLowerCase();
  const fault = faultOf(key);
  if (fault) throw new ApiError("invalid_request", `${field}: ${fault}`, { step: "validate" });
  return key;
}

function faultOf(key: string): string | undefined {
  const local = key.startsWith(MAIN_AGENT) ? key.slice(MAIN_AGENT.length) : key;
  if (!WRITABLE.test(key) || local === "") return "expected 1 to 128 characters of a-z, 0-9 and : . _ -";
  if (INTERNAL.test(local) || local.startsWith("agent:")) {
    return "sessions of sub-agents, schedules and other agents can't be written to";
  }
  return undefined;
}

/** A session key to read, as the list of sessions gave it. */
export const readableSessionKey = z
  .string()
  .regex(READABLE, "expected 1 to 512 visible ASCII characters")
  .transform((text) => text.toLowerCase());

/** A session key to write to, as {@link parseSessionKey} answers it. */
export const writableSessionKey = z
  .string()
  .transform((text) => text.toLowerCase())
  .superRefine((key, context) => {
    const fault = faultOf(key);
    if (fault) context.addIssue({ code: "custom", message: fault });
  });
