import type { OpenApiDocument, Operation } from "#api/openapi/types.ts";

/** Longest wait for an answer, seconds: nothing here takes that long by design. */
const PATIENCE_SECONDS = 20;

/** Operations that refuse some of what their schemas allow. */
const STRICTER: ReadonlySet<string> = new Set([
  // Amounts have at most six decimals: `multipleOf` is about doubles.
  "grantCredits",
  // What is made does not end in the past.
  "createToken",
  "createAgentKey",
]);

/**
 * The configuration for a document, as TOML: what a schema cannot say of an operation.
 * - A cursor is an opaque word, so one that is made up is refused.
 * - A WebSocket is not opened by a plain call.
 * - What has no success answers 501, and nothing else may.
 * - Text with NUL characters may be refused anywhere: they come `withZeros` only.
 */
export function configFor({ paths }: OpenApiDocument, withZeros = false): string {
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  const strict = operations.filter(
    ({ operationId, parameters }) =>
      STRICTER.has(operationId) || parameters.some((one) => "name" in one && one.name === "cursor"),
  );
  const sockets = operations.filter(({ responses }) => "101" in responses);
  const refused = operations.filter(({ responses }) => !Object.keys(responses).some((status) => /^[123]/.test(status)));
  return [
    // A watch never ends.
    "max-stream-events = 1",
    `request-timeout = ${PATIENCE_SECONDS}`,
    `generation.allow-x00 = ${withZeros}`,
    ...rule(strict, 'checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "404", "409"]'),
    ...rule(sockets, 'checks.positive_data_acceptance.expected-statuses = ["401", "403", "426"]'),
    ...rule(refused, 'checks.not_a_server_error.expected-statuses = ["4xx", "501"]'),
    "",
  ].join("\n");
}

function rule(operations: readonly Operation[], setting: string): string[] {
  if (operations.length === 0) return [];
  // A list of strings is the same in JSON and TOML.
  const ids = JSON.stringify(operations.map(({ operationId }) => operationId));
  return ["", "[[operations]]", `include-operation-id = ${ids}`, setting];
}
