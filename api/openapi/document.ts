import type { Scheme } from "../auth/identity.ts";
import { type Route, TAGS } from "../http/route.ts";
import { ERROR_SCHEMA, OPENAI_ERROR_SCHEMA } from "./errors.ts";
import { ANSWER_HEADERS, headerParameters } from "./headers.ts";
import { operationOf, pathTemplate } from "./operation.ts";
import { OVERVIEW } from "./overview.ts";
import { createSchemaWriter } from "./schemas.ts";
import { securitySchemes } from "./security.ts";
import type { OpenApiDocument, Operation } from "./types.ts";

/** What a document tells of. */
export interface DocumentParts {
  readonly routes: readonly Route[];
  /** Kinds of credentials that the server knows. */
  readonly schemes: readonly Scheme[];
  readonly version: string;
}

/**
 * The OpenAPI document of these routes, by their own declarations alone.
 * @throws Error naming the operation whose schema JSON cannot say, or that is there twice.
 */
export function openApiDocument({ routes, schemes, version }: DocumentParts): OpenApiDocument {
  const schemas = createSchemaWriter();
  const paths: Record<string, Record<string, Operation>> = {};
  const seen = new Set<string>();
  for (const route of routes) {
    if (seen.has(route.operation)) throw new Error(`there are two operations ${route.operation}`);
    seen.add(route.operation);
    const template = pathTemplate(route.path);
    paths[template] = { ...paths[template], [route.method.toLowerCase()]: operationOf(route, schemas, schemes) };
  }
  const used = new Set(routes.map(({ tag }) => tag));
  const parameters = headerParameters(schemas);
  return {
    openapi: "3.1.0",
    info: { title: "Hatchery", version, description: OVERVIEW },
    servers: [{ url: "/", description: "This server." }],
    tags: TAGS.filter((tag) => used.has(tag)).map((name) => ({ name })),
    paths,
    components: {
      schemas: { Error: ERROR_SCHEMA, OpenAiError: OPENAI_ERROR_SCHEMA, ...schemas.shared },
      parameters,
      headers: ANSWER_HEADERS,
      securitySchemes: securitySchemes(schemes, routes),
    },
  };
}
