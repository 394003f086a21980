import { SCHEMES } from "../auth/identity.ts";
import type { ApiContext } from "../context.ts";
import { createRoutes } from "../routes/index.ts";
import { openApiDocument } from "./document.ts";
import { referenceMarkdown } from "./markdown.ts";

/** What writes the generated files. */
export const COMMAND = "node api/openapi/generate.ts";

/** Every generated file of the API: its path from the top of the repository and its text. */
export function generatedFiles(): Map<string, string> {
  // Routes only take the context apart when they are made.
  const routes = createRoutes({} as ApiContext);
  const document = openApiDocument({ routes, schemes: SCHEMES, version: "" });
  return new Map([["docs/api.md", referenceMarkdown(document, COMMAND)]]);
}
