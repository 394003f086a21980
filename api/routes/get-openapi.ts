import * as z from "zod";
import type { DocumentRoute } from "../http/route.ts";
import type { StaticDocument } from "../http/static-document.ts";

/** `GET /api/openapi.json`: all operations, this one too, as an OpenAPI document. */
export function getOpenApi(document: () => StaticDocument): DocumentRoute {
  return {
    method: "GET",
    path: "/api/openapi.json",
    operation: "getOpenApi",
    tag: "about",
    summary: "This reference as an OpenAPI document.",
    access: "public",
    content: { "application/json": z.looseObject({ openapi: z.string() }) },
    errors: [],
    document,
  };
}
