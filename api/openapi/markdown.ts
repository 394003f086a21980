import { cell } from "#crds/generate/docs.ts";
import { ERROR_STATUS } from "../errors.ts";
import { ERROR_MEANING } from "./error-meanings.ts";
import type { Field } from "./fields.ts";
import { type OperationEntry, sectionsOf, usedCodes } from "./reference.ts";
import type { OpenApiDocument } from "./types.ts";

/** The reference as a page of Markdown; it names no version, so that a release alone does not change it. */
export function referenceMarkdown(document: OpenApiDocument, source: string): string {
  const { info, components } = document;
  const credentials = Object.values(components.securitySchemes).map((scheme) => {
    const { name = "Authorization: Bearer", description } = scheme as { name?: string; description: string };
    return `| \`${name}\` | ${cell(description)} |`;
  });
  const codes = usedCodes(document).map(
    (code) => `| \`${code}\` | ${ERROR_STATUS[code]} | ${cell(ERROR_MEANING[code])} |`,
  );
  return [
    "# API reference",
    "",
    `<!-- Generated from the routes by \`${source}\`: change their declarations, not this page. -->`,
    "",
    info.description,
    "",
    "A running server tells the same of itself: `GET /api/docs` for people, `GET /api/openapi.json` for programs.",
    "",
    "## Credentials",
    "",
    ...table(["header", "what"], credentials),
    ...sectionsOf(document).flatMap(({ tag, operations }) => [
      "",
      `## ${capitalize(tag)}`,
      ...operations.flatMap(operation),
    ]),
    "",
    "## Error codes",
    "",
    ...table(["code", "status", "meaning"], codes),
    "",
  ].join("\n");
}

function operation({ id, method, path, summary, access, parameters, body, answers, errors }: OperationEntry): string[] {
  const codes = errors.map(
    ({ status, codes, description }) =>
      `${status} ${codes.length > 0 ? codes.map((code) => `\`${code}\``).join(", ") : description}`,
  );
  return [
    "",
    `### \`${method} ${path}\``,
    "",
    `${summary} ${access} Operation \`${id}\`.`,
    ...fieldTable("Parameters", parameters),
    ...body.flatMap((one) => fieldTable(`Body${one.isRequired ? "" : ", if any"}, \`${one.type}\``, one.fields)),
    ...answers.flatMap(({ status, description, bodies }) =>
      bodies.length === 0
        ? ["", `Answer ${status}: ${description}`]
        : bodies.flatMap((one) => fieldTable(`Answer ${status}, \`${one.type}\``, one.fields)),
    ),
    "",
    `Errors: ${codes.join("; ")}`,
  ];
}

function fieldTable(title: string, fields: readonly (Field & { readonly place?: string })[]): string[] {
  if (fields.length === 0) return [];
  const rows = fields.map(({ path, place, type, need, meaning }) => {
    const name = path === "" ? "the whole" : `\`${path}\``;
    return `| ${name}${place ? ` in ${place}` : ""} | ${cell(type)} | ${cell(need)} | ${cell(meaning)} |`;
  });
  return ["", `${title}:`, "", ...table(["name", "type", "", "meaning"], rows)];
}

function table(head: readonly string[], rows: readonly string[]): string[] {
  return [`| ${head.join(" | ")} |`, `|${head.map(() => "---").join("|")}|`, ...rows];
}

function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
