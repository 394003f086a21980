import type { ApiContext } from "../context.ts";
import type { Route } from "../http/route.ts";
import { accountRoutes, agentRoutes } from "./account-routes.ts";
import { instanceRoutes } from "./instance-routes.ts";
import { secretRoutes } from "./secret-routes.ts";

/** All endpoints of the internal listener: those that first-party servers of the original system call. */
export function createControlRoutes(context: ApiContext): Route[] {
  return [instanceRoutes, secretRoutes, accountRoutes, agentRoutes].flatMap((create) => create(context));
}
