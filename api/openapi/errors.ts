import { ERROR_STATUS, type ErrorCode } from "../errors.ts";
import { ABOUT_CALLER, errorCodesOf } from "../http/declared-errors.ts";
import { surfaceOf } from "../http/envelope.ts";
import type { Route } from "../http/route.ts";
import { ERROR_MEANING } from "./error-meanings.ts";
import { headerRefs } from "./headers.ts";
import type { Answer, JsonSchema } from "./types.ts";

/** Errors in our envelope. */
export const ERROR_SCHEMA: JsonSchema = {
  type: "object",
  description:
    "An error. Its text is `openclaw <operation> <step>: <detail>`, but for those about the caller: the detail alone.",
  properties: {
    ok: { const: false },
    data: { type: "null" },
    error: { type: "string", description: "For people." },
    code: { type: "string", pattern: "^[a-z][a-z0-9_]*$", description: "For programs." },
    requestId: { type: "string", description: "As in the header `x-request-id`; the server's log has it too." },
  },
  required: ["ok", "data", "error", "code", "requestId"],
  additionalProperties: false,
};

/** Errors below `/v1`. */
export const OPENAI_ERROR_SCHEMA: JsonSchema = {
  type: "object",
  description: "An error in OpenAI's form.",
  properties: {
    error: {
      type: "object",
      properties: {
        message: { type: "string", description: "For people." },
        type: { type: "string", description: "OpenAI's word for errors of this kind." },
        param: { type: ["string", "null"] },
        code: { type: ["string", "null"], description: "For programs." },
      },
      required: ["message", "type"],
    },
  },
  required: ["error"],
};

/** Every error answer of a route by its status, each with its codes. */
export function errorAnswers(route: Route): Record<string, Answer> {
  const byStatus = Map.groupBy(errorCodesOf(route), (code) => ERROR_STATUS[code]);
  const own = [...byStatus]
    .toSorted(([a], [b]) => a - b)
    .map(([status, codes]) => [String(status), errorAnswer(route, status, codes.toSorted())] as const);
  return { ...Object.fromEntries(own), ...(route.relaysErrors ? relayedAnswers(route) : {}) };
}

function errorAnswer(route: Route, status: number, codes: readonly ErrorCode[]): Answer {
  const meanings = codes.map((code) => `- \`${code}\`: ${ERROR_MEANING[code]}`);
  const schema = surfaceOf(route.path) === "openai" ? openAiError(route, codes) : envelopeError(route, codes);
  return {
    description: meanings.join("\n"),
    headers: headerRefs(status),
    content: { "application/json": { schema } },
    "x-error-codes": codes,
  };
}

function envelopeError(route: Route, codes: readonly ErrorCode[]): JsonSchema {
  const base = { $ref: "#/components/schemas/Error" };
  // The gateway's own code and words may come with the same status.
  if (route.relaysErrors) return base;
  const aboutCaller = codes.filter((code) => ABOUT_CALLER.has(code));
  const ofOperation = codes.filter((code) => !ABOUT_CALLER.has(code));
  const variants = [
    ...(aboutCaller.length > 0 ? [{ properties: { code: { enum: aboutCaller } } }] : []),
    ...(ofOperation.length > 0 ? [{ properties: { code: { enum: ofOperation }, error: textOf(route) } }] : []),
  ];
  const [only, ...more] = variants;
  return { allOf: [base, ...(more.length === 0 && only ? [only] : [{ anyOf: variants }])] };
}

function textOf({ operation }: Route): JsonSchema {
  return { type: "string", pattern: `^openclaw ${operation}( [a-z_]+)?: ` };
}

function openAiError(route: Route, codes: readonly ErrorCode[]): JsonSchema {
  const base = { $ref: "#/components/schemas/OpenAiError" };
  if (route.relaysErrors) return base;
  return { allOf: [base, { properties: { error: { properties: { code: { enum: codes } } } } }] };
}

function relayedAnswers(route: Route): Record<string, Answer> {
  const name = surfaceOf(route.path) === "openai" ? "OpenAiError" : "Error";
  const answer = (range: string): Answer => ({
    description: `The caller's own OpenClaw refused the call: its ${range} status is kept and its words are passed on.`,
    headers: headerRefs(503),
    content: { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } },
  });
  return { "4XX": answer("4xx"), "5XX": answer("5xx") };
}
