import * as z from "zod";

/** What a caller may name a session it writes to. The gateway lower-cases keys, so we do before it. */
const WRITABLE = /^[a-z0-9:._-]{1,128}$/i;
/**
 * Not the sessions that OpenClaw runs by itself, and of its agents the main one's alone. `agent:main:` begins the full form in
 * which the gateway lists its sessions.
 */
const OWN = /^(?!agent:(?!main:.))(?!(?:agent:main:)?(?:subagent|cron|acp):)(?!agent:main:agent:)/i;
/** A key that is only looked up; channels put peer ids of all kinds into theirs. */
const READABLE = /^[\x21-\x7e]{1,512}$/;

/** The session a chat belongs to that names none. */
export const DEFAULT_SESSION = "main";

/** A session key to read, as the list of sessions gave it. */
export const readableSessionKey = z
  .string()
  .regex(READABLE, "expected 1 to 512 visible ASCII characters")
  .transform((text) => text.toLowerCase());

/** A session key to write to, in the gateway's spelling. */
export const writableSessionKey = z
  .string()
  .regex(WRITABLE, "expected 1 to 128 characters of a-z, 0-9 and : . _ -")
  .regex(OWN, "sessions of sub-agents, schedules and other agents can't be written to")
  .transform((text) => text.toLowerCase());
