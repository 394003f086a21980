import * as z from "zod";
import { type PublicRoute, publicRoute, type Route } from "../http/route.ts";

/** `GET /api/openclaw`: where each operation is. */
export function listOperations(routes: () => readonly Route[]): PublicRoute {
  return publicRoute({
    method: "GET",
    path: "/api/openclaw",
    operation: "listOperations",
    tag: "about",
    summary: "Names and paths of all operations.",
    result: z.record(z.string(), z.string()),
    errors: [],
    answer: async () => Object.fromEntries(routes().map(({ operation, path }) => [operation, path])),
  });
}
