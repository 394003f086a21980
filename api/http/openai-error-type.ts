/** OpenAI's error types for the statuses that have one of their own. */
const TYPE_OF_STATUS: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
};

/** The `type` of an error in OpenAI's form, by its HTTP status. */
export function openAiErrorType(status: number): string {
  return TYPE_OF_STATUS[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
}
