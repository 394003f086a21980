import type { CallErrorHandler } from "./call-notes.ts";
import { OpenAIError } from "./openai-error.ts";

/** The one place where errors become answers; an answer that has begun is cut, so that it can't be taken for a whole one. */
export const answerError: CallErrorHandler = (error: unknown, _req, res, _next) => {
  const answer = error instanceof OpenAIError ? error : unforeseen(error);
  if (answer.status >= 500) res.locals.notes.failure ??= answer;
  if (res.headersSent || res.destroyed) {
    res.locals.notes.cutStatus = answer.status;
    res.destroy();
    return;
  }
  res.status(answer.status).set(answer.headers).json(answer.toBody());
};

/** Errors of Express' body reader say what may be told; of any other only the log tells. */
function unforeseen(error: unknown): OpenAIError {
  if (!(error instanceof Error) || !("status" in error) || typeof error.status !== "number" || error.status >= 500)
    return new OpenAIError(500, "internal", "internal error", { cause: error });
  // What was not read of the body must not be taken for the next request.
  const headers = { connection: "close" };
  if (error.status === 413) {
    const limit = "limit" in error ? ` limit of ${String(error.limit)} bytes` : " limit";
    return new OpenAIError(413, "body_too_large", `the body is over the${limit}`, { headers });
  }
  return new OpenAIError(error.status, "invalid_body", `body: ${error.message}`, { headers });
}
