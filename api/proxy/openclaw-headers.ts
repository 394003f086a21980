import type { DistinctHeaders } from "../auth/authenticator.ts";
import { ApiError } from "../errors.ts";
import { parseSessionKey } from "./session-key.ts";

/** Which session of the tenant's OpenClaw a call belongs to. */
export const SESSION_KEY_HEADER = "x-openclaw-session-key";

/** The only headers of a caller that reach the gateway, and what each may hold. Everything else stops here. */
const FORWARDED: Readonly<Record<string, (value: string) => string>> = {
  [SESSION_KEY_HEADER]: (value) => parseSessionKey(value, SESSION_KEY_HEADER),
  "x-openclaw-agent-id": word("x-openclaw-agent-id", /^[a-z0-9][a-z0-9_-]{0,63}$/i),
  "x-openclaw-message-channel": word("x-openclaw-message-channel", /^[a-z0-9][a-z0-9_-]{0,63}$/i),
  "x-openclaw-account-id": word("x-openclaw-account-id", /^[a-z0-9][a-z0-9._:@+-]{0,127}$/i),
};

/**
 * The caller's `x-openclaw-*` headers that the gateway may see, checked.
 * @throws ApiError 400 naming the header.
 */
export function openclawHeaders(headers: DistinctHeaders): Record<string, string> {
  const forwarded: Record<string, string> = {};
  for (const [name, check] of Object.entries(FORWARDED)) {
    const [value, ...more] = headers[name] ?? [];
    if (value === undefined) continue;
    if (more.length > 0) throw new ApiError("invalid_request", `${name}: given more than once`, { step: "validate" });
    forwarded[name] = check(value);
  }
  return forwarded;
}

function word(name: string, shape: RegExp): (value: string) => string {
  return (value) => {
    if (shape.test(value)) return value;
    throw new ApiError("invalid_request", `${name}: malformed`, { step: "validate" });
  };
}
