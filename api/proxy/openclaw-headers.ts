import * as z from "zod";
import type { DistinctHeaders } from "../auth/authenticator.ts";
import { ApiError } from "../errors.ts";
import { writableSessionKey } from "./session-key.ts";

/** Which session of the tenant's OpenClaw a call belongs to. */
export const SESSION_KEY_HEADER = "x-openclaw-session-key";

const word = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/i, "malformed");

/** The only headers of a caller that reach the gateway, and what each may hold. Everything else stops here. */
export const OPENCLAW_HEADERS = {
  [SESSION_KEY_HEADER]: writableSessionKey.describe("Which session of the caller's OpenClaw it is."),
  "x-openclaw-agent-id": word.describe("Which of its agents answers."),
  "x-openclaw-message-channel": word.describe("The channel that the message is taken to come from."),
  "x-openclaw-account-id": z
    .string()
    .regex(/^[a-z0-9][a-z0-9._:@+-]{0,127}$/i, "malformed")
    .describe("The account of that channel."),
} as const satisfies Readonly<Record<string, z.ZodType<string>>>;

/**
 * The caller's `x-openclaw-*` headers that the gateway may see, checked.
 * @throws ApiError 400 naming the header.
 */
export function openclawHeaders(headers: DistinctHeaders): Record<string, string> {
  const forwarded: Record<string, string> = {};
  for (const [name, schema] of Object.entries(OPENCLAW_HEADERS)) {
    const [value, ...more] = headers[name] ?? [];
    if (value === undefined) continue;
    if (more.length > 0) throw invalid(name, "given more than once");
    const checked = schema.safeParse(value);
    if (!checked.success) throw invalid(name, checked.error.issues[0]?.message ?? "malformed");
    forwarded[name] = checked.data;
  }
  return forwarded;
}

function invalid(name: string, fault: string): ApiError {
  return new ApiError("invalid_request", `${name}: ${fault}`, { step: "validate" });
}
