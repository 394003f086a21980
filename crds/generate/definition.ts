import * as z from "zod";
import { GROUP, VERSION } from "../names.ts";
import type { CelRule } from "../schema/rule.ts";
import { type JsonSchema, toStructural } from "./structural.ts";

/** A column of `kubectl get`; `wide` ones show with `-o wide` only. */
export interface PrinterColumn {
  name: string;
  type: "string" | "integer" | "date";
  jsonPath: string;
  description?: string;
  wide?: boolean;
}

/** Everything of a kind that its schemas do not say. */
export interface KindDefinition {
  kind: string;
  plural: string;
  singular: string;
  shortNames: string[];
  scope: "Namespaced" | "Cluster";
  description: string;
  spec: z.ZodType;
  status: z.ZodType;
  /** Rules over the whole object; of the metadata they see name and generateName only. */
  rules: CelRule[];
  columns: PrinterColumn[];
  /** Paths that `--field-selector` can select by. */
  selectableFields: string[];
}

/** Structural schemas of a kind's spec and status. */
export function kindSchemas(definition: KindDefinition): { spec: JsonSchema; status: JsonSchema } {
  return {
    spec: toStructural(jsonSchema(definition.spec), `${definition.kind}.spec`),
    status: toStructural(jsonSchema(definition.status), `${definition.kind}.status`),
  };
}

/** Of the input side: a field with a default is not required of who writes it. */
function jsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    target: "openapi-3.0",
    io: "input",
    reused: "inline",
    cycles: "throw",
    unrepresentable: "throw",
  }) as JsonSchema;
}

/** The CustomResourceDefinition of a kind. */
export function customResourceDefinition(definition: KindDefinition): Record<string, unknown> {
  const { kind, plural, singular, shortNames, scope, columns, selectableFields } = definition;
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { kind, listKind: `${kind}List`, plural, singular, shortNames, categories: ["hatchery"] },
      scope,
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: rootSchema(definition) },
          subresources: { status: {} },
          additionalPrinterColumns: columns.map(({ wide, ...column }) => ({
            ...column,
            ...(wide ? { priority: 1 } : {}),
          })),
          ...(selectableFields.length > 0
            ? { selectableFields: selectableFields.map((jsonPath) => ({ jsonPath })) }
            : {}),
        },
      ],
    },
  };
}

function rootSchema(definition: KindDefinition): JsonSchema {
  return {
    type: "object",
    description: definition.description,
    required: ["spec"],
    properties: {
      apiVersion: { type: "string" },
      kind: { type: "string" },
      metadata: { type: "object" },
      ...kindSchemas(definition),
    },
    "x-kubernetes-validations": definition.rules,
  } as JsonSchema;
}
