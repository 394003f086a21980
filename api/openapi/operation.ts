import { pendingApprovalSchema } from "../approvals/approvals.ts";
import type { Scheme } from "../auth/identity.ts";
import type { Route } from "../http/route.ts";
import { errorAnswers } from "./errors.ts";
import { documentHeaderRefs, headerParameterRefs, headerRefs } from "./headers.ts";
import type { SchemaWriter } from "./schemas.ts";
import { securityOf } from "./security.ts";
import type { Answer, Content, JsonSchema, Operation, Parameter } from "./types.ts";

/** An Express path as an OpenAPI template: `/a/:id` is `/a/{id}`. */
export function pathTemplate(path: string): string {
  return path.replace(/:(\w+)/g, "{$1}");
}

/** One route as an operation; the builder knows nothing of a route but what it declares. */
export function operationOf(route: Route, schemas: SchemaWriter, schemes: readonly Scheme[]): Operation {
  const description = accessText(route);
  const requestBody = requestBodyOf(route, schemas);
  return {
    operationId: route.operation,
    tags: [route.tag],
    summary: route.summary,
    ...(description ? { description } : {}),
    security: securityOf(route, schemes),
    parameters: [
      ...parametersOf(route, "path", schemas),
      ...parametersOf(route, "query", schemas),
      ...(isGated(route) ? [approvalParameter(schemas, route)] : []),
      ...headerParameterRefs(route),
    ],
    ...(requestBody ? { requestBody } : {}),
    responses: { ...successAnswers(route, schemas), ...errorAnswers(route) },
  };
}

function accessText(route: Route): string {
  if (route.access === "public") return "Needs no credential.";
  if (route.access === "control") return "For first-party servers that hold the control key.";
  const who = { "signed-in": "For whoever has a credential", tenant: "For whoever is let in", admin: "For admins" };
  const scope = route.scope === null ? "" : ` with the scope \`${route.scope}\``;
  const humans = route.humansOnly ? " Not for agents." : "";
  const gate = isGated(route)
    ? ` An agent's call waits for a human's approval (tool \`${route.gated.tool}\`): it is answered 202, and runs once when it is repeated with \`approvalId\`.`
    : "";
  return `${who[route.access]}${scope}.${humans}${gate}`;
}

function isGated(route: Route): route is Route & { gated: { tool: string } } {
  return "gated" in route && route.gated !== undefined;
}

function parametersOf(route: Route, place: "path" | "query", schemas: SchemaWriter): Parameter[] {
  const schema = place === "path" ? route.params : route.query;
  if (!schema) return [];
  const { properties = {}, required = [] } = schemas.write(schema, "input", capital(route.operation, place));
  return Object.entries(properties).map(([name, field]) => {
    const { description, ...rest } = field;
    return {
      name,
      in: place,
      required: place === "path" || required.includes(name),
      ...(description ? { description } : {}),
      schema: rest,
    };
  });
}

function approvalParameter(schemas: SchemaWriter, route: Route): Parameter {
  const description = "The approval of this very call; the body may name it as well.";
  return { name: "approvalId", in: "query", required: false, description, schema: approvalId(schemas, route) };
}

function approvalId(schemas: SchemaWriter, { operation }: Route): JsonSchema {
  const { properties } = schemas.write(pendingApprovalSchema, "input", operation);
  return properties?.approvalId ?? {};
}

function requestBodyOf(route: Route, schemas: SchemaWriter): Operation["requestBody"] {
  const own = route.body ?? route.lateBody;
  if (!own) return isGated(route) ? { required: false, content: json(APPROVAL_ALONE) } : undefined;
  const written = schemas.write(own, "input", capital(route.operation, "body"));
  const { properties = {}, ...rest } = written;
  const schema = isGated(route)
    ? { ...rest, properties: { ...properties, approvalId: approvalId(schemas, route) } }
    : written;
  return { required: !route.bodyIsOptional, content: json(schema) };
}

/** A human's is not even read. */
const APPROVAL_ALONE: JsonSchema = {
  description:
    "Of an agent's call: may hold `approvalId`, the approval of this very call; anything else counts for nothing.",
};

function json(schema: JsonSchema): Content {
  return { "application/json": { schema } };
}

function successAnswers(route: Route, schemas: SchemaWriter): Record<string, Answer> {
  if ("result" in route) {
    const data = schemas.write(route.result, "output", capital(route.operation, "result"));
    const pending = isGated(route)
      ? {
          202: answer(
            "Nothing was done yet: a human has to approve the call.",
            envelope(schemas.write(pendingApprovalSchema, "output", "PendingApproval")),
          ),
        }
      : {};
    // What is refused whatever is sent has no success.
    return { ...("not" in data ? {} : { 200: answer("Done.", envelope(data)) }), ...pending };
  }
  // A handshake has no body.
  if (Object.keys(route.content).length === 0)
    return { 101: { description: "A WebSocket is open.", headers: headerRefs(101) } };
  const content = Object.fromEntries(
    Object.entries(route.content).map(([type, schema]) => [
      type,
      { schema: schemas.write(schema, "output", capital(route.operation, "content")) },
    ]),
  );
  if (!("document" in route)) return { 200: answer("Done.", content) };
  return {
    200: { ...answer("The document.", content), headers: documentHeaderRefs() },
    304: { description: "The caller has it already, by `If-None-Match`.", headers: documentHeaderRefs() },
  };
}

function answer(description: string, content: Content): Answer {
  return { description, headers: headerRefs(200), content };
}

function envelope(data: JsonSchema): Content {
  const schema = {
    type: "object",
    properties: { ok: { const: true }, data, error: { type: "null" }, requestId: { type: "string" } },
    required: ["ok", "data", "error", "requestId"],
    additionalProperties: false,
  };
  return json(schema);
}

function capital(operation: string, part: string): string {
  const word = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
  return word(operation) + word(part);
}
