import * as z from "zod";
import type { JsonSchema } from "./types.ts";

/** Writes zod schemas as JSON schemas, and keeps what they share. */
export interface SchemaWriter {
  /**
   * The JSON schema of what is sent (`input`) or answered (`output`).
   * @throws Error naming `where` for a schema that JSON cannot say.
   */
  write(schema: z.ZodType, io: "input" | "output", where: string): JsonSchema;
  /** What was named by `.meta({id})` or refers to itself, so far. */
  readonly shared: Readonly<Record<string, JsonSchema>>;
}

const SHARED = "#/components/schemas/";
const DEFINED = "#/$defs/";

/** A writer for one document. */
export function createSchemaWriter(): SchemaWriter {
  const shared: Record<string, JsonSchema> = {};
  return {
    shared,
    write(schema, io, where) {
      const written = toJson(schema, io, where);
      const { $schema: _dialect, $defs = {}, ...own } = written as JsonSchema & { $defs?: Record<string, JsonSchema> };
      // zod's references lead into the schema at hand; in a document that would be elsewhere.
      const target = (ref: string) => SHARED + (ref === "#" ? where : nameOf(ref.slice(DEFINED.length), io, where));
      for (const [key, inner] of Object.entries($defs)) shared[nameOf(key, io, where)] = redirect(inner, target);
      const moved = redirect(own, target);
      if (!JSON.stringify(written).includes('"$ref":"#"')) return moved;
      shared[where] = moved;
      return { $ref: SHARED + where };
    },
  };
}

function toJson(schema: z.ZodType, io: "input" | "output", where: string): JsonSchema {
  try {
    return z.toJSONSchema(schema, { io, target: "draft-2020-12", override: keepFlags }) as JsonSchema;
  } catch (cause) {
    throw new Error(`${where}: the schema has no place in JSON: ${(cause as Error).message}`, { cause });
  }
}

/** What is sent may lack fields that are filled in: it is another schema. zod numbers what refers to itself and has no name. */
function nameOf(key: string, io: "input" | "output", where: string): string {
  if (key.startsWith("__schema")) return `${where}${key.slice("__schema".length)}`;
  return io === "input" ? `${key}Input` : key;
}

function redirect(schema: JsonSchema, target: (ref: string) => string): JsonSchema {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    const entries = Object.entries(value);
    return Object.fromEntries(
      entries.map(([key, inner]) => [key, key === "$ref" ? target(String(inner)) : walk(inner)]),
    );
  };
  return walk(schema) as JsonSchema;
}

/** A pattern has no flags in JSON schema: one that ignores case says so in itself. */
function keepFlags({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: object }): void {
  for (const { _zod } of zodSchema._zod.def.checks ?? []) {
    const pattern = "pattern" in _zod.def ? _zod.def.pattern : undefined;
    if (pattern instanceof RegExp && pattern.flags.includes("i")) ignoreCase(jsonSchema, pattern.source);
  }
}

function ignoreCase(schema: { pattern?: string; allOf?: { pattern?: string }[] }, source: string): void {
  for (const holder of [schema, ...(schema.allOf ?? [])]) {
    if (holder.pattern === source) holder.pattern = `(?i:${source})`;
  }
}
