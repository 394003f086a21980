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
  const local = key.startsWith(MAIN_AGENT) ? key.slice(MAIN_AGENT.length) : key;
  if (!WRITABLE.test(key) || local === "") {
    throw refuse(field, "expected 1 to 128 characters of a-z, 0-9 and : . _ -");
  }
  if (INTERNAL.test(local) || local.startsWith("agent:")) {
    throw refuse(field, "sessions of sub-agents, schedules and other agents can't be written to");
  }
  return key;
}

/**
 * A session key to read, as the list of sessions gave it.
 * @throws ApiError 400 naming `field`.
 */
export function parseReadableSessionKey(text: string, field: string): string {
  if (!READABLE.test(text)) throw refuse(field, "expected 1 to 512 visible ASCII characters");
  return text.toLowerCase();
}

function refuse(field: string, message: string): ApiError {
  return new ApiError("invalid_request", `${field}: ${message}`, { step: "validate" });
}
