import { readFileSync } from "node:fs";
import { parse } from "yaml";
import * as z from "zod";
import { chartValuesSchema } from "../schema/chart-values.ts";
import { cell, fields } from "./docs.ts";
import type { JsonSchema } from "./structural.ts";

const VALUES = new URL("../../charts/hatchery/values.yaml", import.meta.url);

function jsonSchema(override?: (schema: JsonSchema) => void): JsonSchema {
  return z.toJSONSchema(chartValuesSchema, {
    target: "draft-7",
    io: "input",
    reused: "inline",
    unrepresentable: "throw",
    override: ({ jsonSchema }) => override?.(jsonSchema as JsonSchema),
  }) as JsonSchema;
}

/** values.schema.json, by which Helm refuses wrong values by name before it sends anything to the cluster. */
export function valuesSchemaFile(): string {
  const schema = jsonSchema((part) => {
    for (const keyword of Object.keys(part)) if (keyword.startsWith("x-kubernetes-")) delete part[keyword];
  });
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

/** The reference page of the values, as Markdown. */
export function valuesPage(): string {
  const defaults = parse(readFileSync(VALUES, "utf8")) as unknown;
  const rows = fields(jsonSchema(), "").map(
    ({ path, type, meaning }) =>
      `| \`${path}\` | ${cell(type)} | ${cell(defaultOf(defaults, path))} | ${cell(meaning)} |`,
  );
  return [
    "# Values of the chart",
    "",
    "<!-- Generated from crds/schema/chart-values.ts and charts/hatchery/values.yaml by `node crds/generate/main.ts`. -->",
    "",
    "| value | type | default | meaning |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

/** What values.yaml says; of objects with fields of their own the fields say it. */
function defaultOf(defaults: unknown, path: string): string {
  const value = path
    .split(".")
    .reduce<unknown>((at, name) => (at as Record<string, unknown> | undefined)?.[name], defaults);
  if (value === undefined || value === "") return "";
  const isFilled = typeof value === "object" && value !== null && Object.keys(value).length > 0;
  return isFilled && !Array.isArray(value) && !path.endsWith(".requests") && !path.endsWith(".limits")
    ? ""
    : `\`${JSON.stringify(value)}\``;
}
