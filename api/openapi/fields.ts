import type { JsonSchema } from "./types.ts";

/** A field of a body or an answer, as a table shows it. */
export interface Field {
  /** Empty for the whole. */
  readonly path: string;
  readonly type: string;
  /** Of what is sent: `required`, `default ...` or nothing; of what is answered: `may be absent` or nothing. */
  readonly need: string;
  readonly meaning: string;
}

/** Schemas by name, for references. */
export type SharedSchemas = Readonly<Record<string, JsonSchema>>;

/** Longer ones are read by programs alone. */
const MAX_PATTERN = 50;

/** What a schema is of: of the one it matters what has to be there, of the other what may be missing. */
export type Direction = "sent" | "answered";

const SHARED = "#/components/schemas/";

/** Every field of a schema, parents first; what is no object is one field without a path. */
export function fieldsOf(schema: JsonSchema, direction: Direction, shared: SharedSchemas): Field[] {
  const rows = inner(schema, "", { direction, shared, above: new Set() });
  if (rows.length > 0) return rows;
  return [{ path: "", type: typeText(schema, shared), need: "", meaning: schema.description ?? "" }];
}

/** One value of a schema as a row. */
export function fieldOf(path: string, schema: JsonSchema, need: string, shared: SharedSchemas): Field {
  const meaning = schema.description ?? resolve(schema, shared).description ?? "";
  return { path, type: typeText(schema, shared), need, meaning };
}

/** What there is to say about whether a field is there. */
export function needOf(schema: JsonSchema, isRequired: boolean, direction: Direction): string {
  if (direction === "answered") return isRequired ? "" : "may be absent";
  if (schema.default !== undefined) return `default \`${JSON.stringify(schema.default)}\``;
  return isRequired ? "required" : "";
}

interface Place {
  readonly direction: Direction;
  readonly shared: SharedSchemas;
  /** What a field stands in: what refers to itself is shown once. */
  readonly above: ReadonlySet<JsonSchema>;
}

function inner(schema: JsonSchema, prefix: string, place: Place): Field[] {
  const { direction, shared, above } = place;
  const bare = withoutNull(resolve(schema, shared));
  if (above.has(bare)) return [];
  const within = { ...place, above: new Set([...above, bare]) };
  if (bare.type === "array") return bare.items ? inner(bare.items, `${prefix.replace(/\.$/, "")}[].`, within) : [];
  const required = new Set(bare.required ?? []);
  return Object.entries(bare.properties ?? {}).flatMap(([name, field]) => {
    const path = prefix + name;
    const need = needOf(field, required.has(name), direction);
    return [fieldOf(path, field, need, shared), ...inner(field, `${path}.`, within)];
  });
}

function resolve(schema: JsonSchema, shared: SharedSchemas): JsonSchema {
  const target = schema.$ref?.startsWith(SHARED) ? shared[schema.$ref.slice(SHARED.length)] : undefined;
  return target ? resolve(target, shared) : schema;
}

function isNull({ type }: JsonSchema): boolean {
  return type === "null";
}

/** `anyOf` of one thing and null is that thing. */
function withoutNull(schema: JsonSchema): JsonSchema {
  const [only, ...more] = (schema.anyOf ?? []).filter((option) => !isNull(option));
  return only && more.length === 0 ? only : schema;
}

/** The type in words: `integer, 1 to 100`, `list of string`, `` `a` or `b` ``. */
export function typeText(schema: JsonSchema, shared: SharedSchemas): string {
  const found = resolve(schema, shared);
  if (found.anyOf) return [...new Set(found.anyOf.map((option) => typeText(option, shared)))].join(" or ");
  if ("const" in found) return `\`${JSON.stringify(found.const)}\``;
  if (found.enum) return found.enum.map((word) => `\`${String(word)}\``).join(" or ");
  switch (found.type) {
    case "array":
      return `list of ${found.items ? typeText(found.items, shared) : "anything"}${limits("items", found.minItems, found.maxItems)}`;
    case "object":
      return objectText(found, shared);
    case "integer":
    case "number":
      return found.type + range(found.minimum, found.maximum);
    case "string":
      return `${formatText(found)}${limits("characters", found.minLength, found.maxLength)}`;
    case undefined:
      return "anything";
    default:
      return [found.type].flat().join(" or ");
  }
}

function objectText(schema: JsonSchema, shared: SharedSchemas): string {
  const values = schema.additionalProperties;
  if (schema.properties || typeof values !== "object" || values === null) return "object";
  const text = typeText(values as JsonSchema, shared);
  return text === "anything" ? "object" : `map of ${text}`;
}

function formatText({ format, pattern }: JsonSchema): string {
  if (typeof format === "string") return `string (${format})`;
  return typeof pattern === "string" && pattern.length <= MAX_PATTERN ? `string like \`${pattern}\`` : "string";
}

function limits(unit: string, min: unknown, max: unknown): string {
  const text = range(min, max);
  return text === "" ? "" : `${text} ${unit}`;
}

function range(min: unknown, max: unknown): string {
  const [low, high] = [boundOf(min), boundOf(max)];
  if (low !== undefined && high !== undefined) return `, ${low} to ${high}`;
  if (low !== undefined) return `, at least ${low}`;
  return high === undefined ? "" : `, at most ${high}`;
}

/** zod bounds integers by what a double holds: that tells people nothing. */
function boundOf(limit: unknown): number | undefined {
  return typeof limit === "number" && Math.abs(limit) < Number.MAX_SAFE_INTEGER ? limit : undefined;
}
