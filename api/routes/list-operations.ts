import type { PublicRoute, Route } from "../http/route.ts";

/** `GET /api/openclaw`: where each operation is. */
export function listOperations(routes: readonly Route[]): PublicRoute {
  const paths = Object.fromEntries(routes.map(({ operation, path }) => [operation, path]));
  return {
    method: "GET",
    path: "/api/openclaw",
    operation: "listOperations",
    access: "public",
    answer: async () => paths,
  };
}
