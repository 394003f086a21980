import * as z from "zod";
import type { DocumentRoute } from "../http/route.ts";
import type { StaticDocument } from "../http/static-document.ts";

/** `GET /api/docs`: all operations, as a page for people. */
export function getDocs(document: () => StaticDocument): DocumentRoute {
  return {
    method: "GET",
    path: "/api/docs",
    operation: "getDocs",
    tag: "about",
    summary: "This reference as a page.",
    access: "public",
    content: { "text/html": z.string() },
    errors: [],
    document,
  };
}
