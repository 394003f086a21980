import { ApiError, ERROR_STATUS, type ErrorCode } from "../errors.ts";
import type { CallErrorHandler } from "./call-notes.ts";
import { OpenAIError } from "./openai-error.ts";

/** The one place where errors become answers; an answer that has begun is cut, so that it can't be taken for a whole one. */
export const answerError: CallErrorHandler = (error: unknown, _req, res, _next) => {
  const answer = toOpenAIError(error);
  if (answer.status >= 500) res.locals.notes.failure ??= answer;
  if (res.headersSent || res.destroyed) {
    res.locals.notes.cutStatus = answer.status;
    res.destroy();
    return;
  }
  res.status(answer.status).set(answer.headers).json(answer.toBody());
};

/** What the parts shared with the API refuse, by the names that are used here. */
const CODES: Partial<Record<ErrorCode, string>> = {
  invalid_request: "invalid_body",
  payload_too_large: "body_too_large",
  too_many_streams: "too_many_calls",
};

function toOpenAIError(error: unknown): OpenAIError {
  if (error instanceof OpenAIError) return error;
  if (!(error instanceof ApiError)) return unforeseen(error);
  const { code, message, retryAfterSeconds } = error;
  const headers = {
    ...(retryAfterSeconds !== undefined && { "retry-after": String(Math.ceil(retryAfterSeconds)) }),
    // The rest of a body that came too slowly may never come; it must not hold the connection.
    ...(code === "request_timeout" && { connection: "close" }),
  };
  return new OpenAIError(ERROR_STATUS[code], CODES[code] ?? code, message, { headers, cause: error });
}

/** Express says of a request that it can't read what may be told; of any other error only the log tells. */
function unforeseen(error: unknown): OpenAIError {
  if (error instanceof URIError) return new OpenAIError(400, "invalid_request", "the path can't be read");
  return new OpenAIError(500, "internal", "internal error", { cause: error });
}
