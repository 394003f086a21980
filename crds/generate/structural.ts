/** JSON schema as zod writes it and as a CRD holds it; the keywords named here are the ones we read. */
export interface JsonSchema {
  [keyword: string]: unknown;
  type?: string;
  description?: string;
  enum?: unknown[];
  minimum?: number | undefined;
  maximum?: number | undefined;
  maxLength?: number;
  pattern?: string;
  format?: string;
  maxItems?: number;
  maxProperties?: number;
  required?: string[];
}

/** A schema says something a CRD cannot hold, or leaves out what we ask of every field; the message begins with the path. */
export class StructuralError extends Error {
  override name = "StructuralError";
}

/** Keywords taken over as they are, by type. All others are refused. */
const COMMON = ["description", "default", "enum", "x-kubernetes-validations"];
const KEPT: Readonly<Record<string, readonly string[]>> = {
  boolean: [],
  integer: ["minimum", "maximum"],
  string: ["minLength", "maxLength", "pattern", "format"],
  array: ["minItems", "maxItems", "x-kubernetes-list-type", "x-kubernetes-list-map-keys"],
  object: ["minProperties", "maxProperties", "required"],
};
/** Keywords this pass reads and rewrites. */
const REWRITTEN = ["type", "properties", "additionalProperties", "items", "anyOf", "x-kubernetes-int-or-string"];
/** String formats the apiserver checks. */
const FORMATS = ["date-time"];
/** What RE2 lacks and JavaScript has: look-around, named and numbered back-references, `\u` escapes. */
const NOT_RE2 = /\(\?[=!<]|\\[1-9k]|\\u/;
const INT32 = 2 ** 31;

/**
 * Turns zod's JSON schema (target `openapi-3.0`, io `input`) into the structural schema of a CRD.
 * @throws StructuralError with the path of the first field that cannot be represented or lacks a maximum, a list type or a description.
 */
export function toStructural(schema: JsonSchema, path: string): JsonSchema {
  if (!schema.description) throw new StructuralError(`${path}: has no description`);
  if (schema["x-kubernetes-int-or-string"] === true) return intOrString(schema, path);
  const type = schema.type ?? "";
  const kept = KEPT[type];
  if (!kept || schema.anyOf) throw new StructuralError(`${path}: ${describe(schema)} has no place in a CRD`);
  const result: JsonSchema = { type, ...take(schema, [...COMMON, ...kept], path) };
  if (type === "integer") Object.assign(result, integerBounds(schema));
  if (type === "string") checkString(schema, path);
  if (type === "array") result.items = items(schema, path);
  if (type === "object") Object.assign(result, members(schema, path));
  return withoutUndefined(result);
}

function take(schema: JsonSchema, keywords: readonly string[], path: string): JsonSchema {
  const known = new Set([...keywords, ...REWRITTEN]);
  for (const keyword of Object.keys(schema)) {
    if (!known.has(keyword)) throw new StructuralError(`${path}: keyword "${keyword}" has no place in a CRD`);
  }
  return Object.fromEntries(
    keywords.filter((keyword) => keyword in schema).map((keyword) => [keyword, schema[keyword]]),
  );
}

function describe(schema: JsonSchema): string {
  const composite = ["anyOf", "oneOf", "allOf", "not", "$ref"].find((keyword) => keyword in schema);
  return composite ? `"${composite}"` : `type "${schema.type ?? "any"}"`;
}

/** The one union that CRDs know. Limits of both branches stand beside it: each applies to values of its own type. */
function intOrString(schema: JsonSchema, path: string): JsonSchema {
  const [integer, string, ...more] = (schema.anyOf ?? []) as JsonSchema[];
  if (integer?.type !== "integer" || string?.type !== "string" || more.length > 0) {
    throw new StructuralError(`${path}: int-or-string is the union of an integer and a string, in this order`);
  }
  checkString(string, path);
  return {
    ...take(schema, COMMON, path),
    ...take(integer, ["minimum", "maximum"], path),
    ...take(string, ["minLength", "maxLength", "pattern"], path),
    anyOf: [{ type: "integer" }, { type: "string" }],
    "x-kubernetes-int-or-string": true,
  };
}

/** zod bounds every integer by what a double can count; a format says it shorter. */
function integerBounds({ minimum = -Infinity, maximum = Infinity }: JsonSchema): JsonSchema {
  return {
    format: minimum >= -INT32 && maximum < INT32 ? "int32" : "int64",
    minimum: minimum <= Number.MIN_SAFE_INTEGER || minimum === -INT32 ? undefined : minimum,
    maximum: maximum >= Number.MAX_SAFE_INTEGER || maximum === INT32 - 1 ? undefined : maximum,
  };
}

function checkString({ enum: words, maxLength, pattern, format }: JsonSchema, path: string): void {
  if (!words && maxLength === undefined) throw new StructuralError(`${path}: a string needs a maxLength`);
  if (format !== undefined && !FORMATS.includes(format))
    throw new StructuralError(`${path}: format "${format}" is not checked by the apiserver`);
  if (pattern !== undefined && NOT_RE2.test(pattern))
    throw new StructuralError(`${path}: pattern ${pattern} is not RE2`);
}

function items(schema: JsonSchema, path: string): JsonSchema {
  const item = schema.items;
  if (typeof item !== "object" || Array.isArray(item))
    throw new StructuralError(`${path}: a list has one type of items`);
  if (schema.maxItems === undefined) throw new StructuralError(`${path}: a list needs a maxItems`);
  if (schema["x-kubernetes-list-type"] === undefined)
    throw new StructuralError(`${path}: a list needs an x-kubernetes-list-type`);
  return toStructural(item as JsonSchema, `${path}[]`);
}

/** Objects are described, maps, or open; unknown fields of described ones are pruned and, when asked, reported by the apiserver. */
function members(schema: JsonSchema, path: string): JsonSchema {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);
  const rest = schema.additionalProperties;
  const described = Object.fromEntries(
    properties.map(([name, field]) => [name, toStructural(field, `${path}.${name}`)]),
  );
  if (rest === undefined || rest === false) {
    if (properties.length === 0) throw new StructuralError(`${path}: an object needs properties`);
    return { properties: described };
  }
  if (schema.maxProperties === undefined) throw new StructuralError(`${path}: a map needs a maxProperties`);
  if (typeof rest === "object" && rest !== null && Object.keys(rest).length > 0) {
    if (properties.length > 0) throw new StructuralError(`${path}: an object has properties or is a map, not both`);
    return { additionalProperties: toStructural(rest as JsonSchema, `${path}.*`) };
  }
  return { "x-kubernetes-preserve-unknown-fields": true, ...(properties.length > 0 ? { properties: described } : {}) };
}

function withoutUndefined(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([, value]) => value !== undefined));
}
