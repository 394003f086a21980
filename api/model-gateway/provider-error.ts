import { errors } from "undici";
import type { Provider } from "./config.ts";
import { OpenAIError } from "./openai-error.ts";

/** What undici says when a provider stayed silent for too long. */
const TIMEOUTS = [errors.ConnectTimeoutError, errors.HeadersTimeoutError, errors.BodyTimeoutError];

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
  if (status === 401 || status === 403) {
    const text = `the model provider ${provider.name} refused the credential this system has for it; tell whoever runs it`;
    return new OpenAIError(status, "provider_credential_refused", text);
  }
  const words = body.replaceAll(provider.apiKey, "[redacted]");
  if (isErrorBody(words)) return words;
  return new OpenAIError(status, "provider_error", `the model provider ${provider.name} answered ${status}`);
}

function isErrorBody(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "error" in value;
  } catch {
    return false;
  }
}
