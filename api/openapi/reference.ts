import { ERROR_STATUS, type ErrorCode } from "../errors.ts";
import { type Direction, type Field, fieldOf, fieldsOf, needOf, type SharedSchemas } from "./fields.ts";
import type { Answer, Content, OpenApiDocument, Operation, Parameter, Reference } from "./types.ts";

/** An operation as people read it. */
export interface OperationEntry {
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly access: string;
  readonly parameters: readonly (Field & { readonly place: string })[];
  readonly body: readonly BodyEntry[];
  readonly answers: readonly AnswerEntry[];
  readonly errors: readonly ErrorEntry[];
}

/** A body of one media type. */
export interface BodyEntry {
  readonly type: string;
  readonly isRequired: boolean;
  readonly fields: readonly Field[];
}

/** An answer other than an error. */
export interface AnswerEntry {
  readonly status: string;
  readonly description: string;
  readonly bodies: readonly Omit<BodyEntry, "isRequired">[];
}

/** The codes of one status; none where the gateway's own come. */
export interface ErrorEntry {
  readonly status: string;
  readonly description: string;
  readonly codes: readonly string[];
}

/** The operations of one tag. */
export interface Section {
  readonly tag: string;
  readonly operations: readonly OperationEntry[];
}

/** The operations of a document by tag, as page and Markdown show them. */
export function sectionsOf(document: OpenApiDocument): Section[] {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  return document.tags.map(({ name }) => ({
    tag: name,
    operations: operations
      .filter(({ operation }) => operation.tags.includes(name))
      .map(({ method, path, operation }) => ({ method, path, ...entryOf(operation, document) })),
  }));
}

/** The error codes that operations of a document tell of, by their statuses. */
export function usedCodes({ paths }: OpenApiDocument): ErrorCode[] {
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  const answers = operations.flatMap(({ responses }) => Object.values(responses));
  const used = new Set(answers.flatMap((answer) => answer["x-error-codes"] ?? []));
  return (Object.keys(ERROR_STATUS) as ErrorCode[])
    .filter((code) => used.has(code))
    .toSorted((a, b) => ERROR_STATUS[a] - ERROR_STATUS[b]);
}

function entryOf(operation: Operation, { components }: OpenApiDocument): Omit<OperationEntry, "method" | "path"> {
  const shared = components.schemas;
  const answers = Object.entries(operation.responses);
  const { requestBody } = operation;
  return {
    id: operation.operationId,
    summary: operation.summary,
    access: operation.description ?? "",
    parameters: operation.parameters
      .map((parameter) => resolve(parameter, components.parameters))
      // Every call may carry one; the overview says so.
      .filter(({ name }) => name !== "x-request-id")
      .map((parameter) => parameterOf(parameter, shared)),
    body: requestBody
      ? bodies(requestBody.content, "sent", shared).map((body) => ({ ...body, isRequired: requestBody.required }))
      : [],
    answers: answers
      .filter(([status]) => /^[123]/.test(status))
      .map(([status, answer]) => answerOf(status, answer, shared)),
    errors: answers
      .filter(([status]) => !/^[123]/.test(status))
      .map(([status, { description, "x-error-codes": codes = [] }]) => ({ status, description, codes })),
  };
}

function resolve(parameter: Parameter | Reference, shared: Readonly<Record<string, Parameter>>): Parameter {
  if (!("$ref" in parameter)) return parameter;
  const found = shared[parameter.$ref.split("/").at(-1) ?? ""];
  if (!found) throw new Error(`${parameter.$ref} leads nowhere`);
  return found;
}

function parameterOf({ name, in: place, required, description, schema }: Parameter, shared: SharedSchemas) {
  const described = { ...schema, ...(description ? { description } : {}) };
  return { place, ...fieldOf(name, described, needOf(schema, required, "sent"), shared) };
}

function answerOf(status: string, { description, content = {} }: Answer, shared: SharedSchemas): AnswerEntry {
  return { status, description, bodies: bodies(content, "answered", shared) };
}

/** Of an answer in the envelope, only `data` is worth a table. */
function bodies(content: Content, direction: Direction, shared: SharedSchemas): { type: string; fields: Field[] }[] {
  return Object.entries(content).map(([type, { schema }]) => {
    const data = schema.properties?.requestId ? schema.properties.data : undefined;
    if (!data) return { type, fields: fieldsOf(schema, direction, shared) };
    const whole = fieldOf("data", data, "", shared);
    const inner = fieldsOf(data, direction, shared).filter(({ path }) => path !== "");
    const tellsMore = inner.length === 0 || whole.type !== "object" || whole.meaning !== "";
    return { type, fields: [...(tellsMore ? [whole] : []), ...inner.map(below)] };
  });
}

function below(field: Field): Field {
  return { ...field, path: field.path.startsWith("[") ? `data${field.path}` : `data.${field.path}` };
}
