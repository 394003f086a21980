import { errors } from "undici";
import type { Provider } from "./config.ts";
import { OpenAIError } from "./openai-error.ts";

/** What undici says when a provider stayed silent for too long. */
const TIMEOUTS = [errors.ConnectTimeoutError, errors.HeadersTimeoutError, errors.BodyTimeoutError];
/** How much of a provider's words goes into one line of the log. */
const MAX_LOGGED_CHARS = 300;

/** A provider that could not be reached, or broke off before it answered, as 502 or 504. */
export function connectionError(provider: Provider, cause: unknown): OpenAIError {
  const who = `model provider ${provider.name}`;
  if (TIMEOUTS.some((kind) => cause instanceof kind))
    return new OpenAIError(504, "provider_timeout", `the ${who} did not answer in time`, { cause });
  return new OpenAIError(502, "provider_unreachable", `the ${who} can't be reached or broke off`, { cause });
}

/**
 * The answer to a provider's answer that is no success. The status is kept and so are the provider's own words, but for what
 * only concerns us: a refusal of our credential, a redirect, and any trace of the key.
 */
export function refusal(provider: Provider, status: number, body: string): OpenAIError | string {
  if (status < 400) {
    return new OpenAIError(502, "provider_misbehaved", `the model provider ${provider.name} answered ${status}`);
  }
  if (status === 401) {
    const text = `the model provider ${provider.name} refused the credential this system has for it; tell whoever runs it`;
    return new OpenAIError(status, "provider_credential_refused", text);
  }
  if (status === 403) {
    return new OpenAIError(status, "provider_refused", `the model provider ${provider.name} does not allow this call`);
  }
  const words = redact(provider, body);
  if (isErrorBody(words)) return words;
  return new OpenAIError(status, "provider_error", `the model provider ${provider.name} answered ${status}`);
}

/** A refusal for the log: whoever runs the system needs the provider's words, also those that no caller gets. */
export function refusalNote(provider: Provider, status: number, body: string): Error {
  // Redacted before it is cut, so that no piece of the key is left at the end.
  const words = redact(provider, body).slice(0, MAX_LOGGED_CHARS);
  return new Error(`the model provider ${provider.name} answered ${status}: ${words || "(no words)"}`);
}

function redact(provider: Provider, text: string): string {
  return text.replaceAll(provider.apiKey, "[redacted]");
}

function isErrorBody(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "error" in value;
  } catch {
    return false;
  }
}
