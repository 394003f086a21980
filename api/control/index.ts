import type { ApiContext } from "../context.ts";
import type { Route } from "../http/route.ts";
import { instanceRoutes } from "./instance-routes.ts";
import { secretRoutes } from "./secret-routes.ts";

/** All endpoints of the internal listener: those that first-party servers of the original system call. */
export function createControlRoutes(context: ApiContext): Route[] {
  return [instanceRoutes, secretRoutes].flatMap((create) => create(context));
}
