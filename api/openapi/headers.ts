import * as z from "zod";
import type { Route } from "../http/route.ts";
import { OPENCLAW_HEADERS } from "../proxy/openclaw-headers.ts";
import type { SchemaWriter } from "./schemas.ts";
import type { Header, Parameter, Reference } from "./types.ts";

/** `components.headers`: what answers carry. */
export const ANSWER_HEADERS: Readonly<Record<string, Header>> = {
  RequestId: {
    description: "Names this call in the server's log.",
    required: true,
    schema: { type: "string", pattern: "^[A-Za-z0-9._-]{1,64}$" },
  },
  RetryAfter: {
    description: "Seconds after which the call may be made again.",
    schema: { type: "integer", minimum: 0 },
  },
  ETag: { description: "Names this version of the document.", required: true, schema: { type: "string" } },
};

/** Statuses that mean: later it may work. */
const RETRY_STATUSES: ReadonlySet<number> = new Set([409, 429, 503]);

/** Headers of an answer with this status. */
export function headerRefs(status: number): Record<string, Reference> {
  const requestId = { "x-request-id": ref("headers", "RequestId") };
  return RETRY_STATUSES.has(status) ? { ...requestId, "retry-after": ref("headers", "RetryAfter") } : requestId;
}

/** Headers of a document. */
export function documentHeaderRefs(): Record<string, Reference> {
  return { ...headerRefs(200), etag: ref("headers", "ETag") };
}

/** `components.parameters`: the headers that calls may carry. */
export function headerParameters(schemas: SchemaWriter): Record<string, Parameter> {
  const openclaw = Object.entries(OPENCLAW_HEADERS).map(([name, schema]) => [
    parameterName(name),
    header(schemas, name, schema),
  ]);
  return { RequestId: header(schemas, "x-request-id", requestId), ...Object.fromEntries(openclaw) };
}

/** The headers that calls of a route may carry beside their credential. */
export function headerParameterRefs(route: Route): Reference[] {
  const names = ["x-request-id", ...(route.openclawHeaders ? Object.keys(OPENCLAW_HEADERS) : [])];
  return names.map((name) => ref("parameters", parameterName(name)));
}

const requestId = z
  .string()
  .describe("Taken over as the call's id if it is 1 to 64 of `[A-Za-z0-9._-]`; else the server makes one.");

function header(schemas: SchemaWriter, name: string, schema: z.ZodType): Parameter {
  const { description, ...rest } = schemas.write(schema, "input", parameterName(name));
  return { name, in: "header", required: false, ...(description ? { description } : {}), schema: rest };
}

/** `x-openclaw-agent-id` is the parameter `OpenclawAgentId`. */
function parameterName(header: string): string {
  const words = header.slice("x-".length).split("-");
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

function ref(kind: "headers" | "parameters", name: string): Reference {
  return { $ref: `#/components/${kind}/${name}` };
}
