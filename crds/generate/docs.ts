import { REASON_MEANING } from "../reasons.ts";
import { type KindDefinition, kindSchemas } from "./definition.ts";
import type { JsonSchema } from "./structural.ts";

/** A row of a table of fields. */
export interface Field {
  path: string;
  type: string;
  need: string;
  meaning: string;
}

/** The reference page of all kinds, as Markdown. */
export function referencePage(kinds: readonly KindDefinition[]): string {
  const reasons = Object.entries(REASON_MEANING).map(([word, meaning]) => `| \`${word}\` | ${cell(meaning)} |`);
  return [
    "# Custom resources",
    "",
    "<!-- Generated from crds/ by `node crds/generate/main.ts`: change the schemas, not this page. -->",
    ...kinds.flatMap(kindSection),
    "",
    "## Reasons",
    "",
    "Every condition's `reason` and every `status.failure.reason` is one of these words.",
    "",
    "| reason | meaning |",
    "|---|---|",
    ...reasons,
    "",
  ].join("\n");
}

function kindSection(definition: KindDefinition): string[] {
  const { spec, status } = kindSchemas(definition);
  const scope = definition.scope === "Cluster" ? "Cluster-scoped" : "Namespaced";
  const rules = definition.rules.map((rule) => rule.message).join("; ");
  return [
    "",
    `## ${definition.kind}`,
    "",
    `${definition.description} ${scope}; short names ${definition.shortNames.map((name) => `\`${name}\``).join(", ")}; category \`hatchery\`.`,
    `Rules: ${rules}.`,
    ...fieldTable("spec", spec),
    ...fieldTable("status", status),
  ];
}

function fieldTable(root: string, schema: JsonSchema): string[] {
  const rows = fields(schema, "").map(
    ({ path, type, need, meaning }) => `| \`${path}\` | ${cell(type)} | ${cell(need)} | ${cell(meaning)} |`,
  );
  return ["", `### ${root}`, "", "| field | type | need | meaning |", "|---|---|---|---|", ...rows];
}

/** Every field below a schema, parents first; `prefix` begins each path. */
export function fields(schema: JsonSchema, prefix: string): Field[] {
  const required = new Set(schema.required ?? []);
  return Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    return [
      { path, type: typeOf(field), need: needOf(field, required.has(name)), meaning: meaningOf(field) },
      ...inner(field, path),
    ];
  });
}

function inner(field: JsonSchema, path: string): Field[] {
  if (field.type === "array") return fields(field.items as JsonSchema, `${path}[].`);
  return fields(field, `${path}.`);
}

function typeOf(field: JsonSchema): string {
  if (field["x-kubernetes-int-or-string"]) return "quantity";
  if (field["x-kubernetes-preserve-unknown-fields"] || isEmpty(field.additionalProperties)) return "object, open";
  if (field.enum) return field.enum.map((word) => `\`${String(word)}\``).join(", ");
  if (field.type === "array") return `list of ${typeOf(field.items as JsonSchema)}, at most ${field.maxItems}`;
  if (typeof field.additionalProperties === "object") {
    return `map of ${typeOf(field.additionalProperties as JsonSchema)}, at most ${field.maxProperties}`;
  }
  if (field.type === "integer") return `integer${range(field.minimum, field.maximum)}`;
  if (field.format === "date-time") return "date-time";
  if (field.type === "string") return `string, at most ${field.maxLength}`;
  return String(field.type);
}

/** `{}`: anything goes. */
function isEmpty(schema: unknown): boolean {
  return typeof schema === "object" && schema !== null && Object.keys(schema).length === 0;
}

function range(minimum?: number, maximum?: number): string {
  if (minimum !== undefined && maximum !== undefined) return `, ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `, at least ${minimum}`;
  return maximum === undefined ? "" : `, at most ${maximum}`;
}

function needOf(field: JsonSchema, required: boolean): string {
  if (required) return "required";
  const preset = field.default;
  return preset === undefined || typeof preset === "object" ? "" : `default \`${JSON.stringify(preset)}\``;
}

function meaningOf(field: JsonSchema): string {
  const rules = (field["x-kubernetes-validations"] ?? []) as { message: string; rule: string }[];
  const extra = rules.filter((rule) => rule.rule !== "self == oldSelf").map((rule) => rule.message);
  return [field.description, ...(extra.length > 0 ? [`(Refused: ${extra.join("; ")}.)`] : [])].join(" ");
}

/** Text that may stand in a cell of a Markdown table. */
export function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
