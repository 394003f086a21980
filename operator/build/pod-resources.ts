import { type ClassSpec, parseQuantity } from "#crds/index.ts";
import type { Pod } from "#lib/kube/resource.ts";

type Resources = NonNullable<NonNullable<Pod["spec"]>["containers"][number]["resources"]>;

/** Every container states its ephemeral storage, so that no tenant can fill a node. */
export const EPHEMERAL_STORAGE = { request: "128Mi", limit: "2Gi" } as const;

const LOCAL = "ephemeral-storage";

/** What a class's pods ask for and may have. */
export function podResources(plan: ClassSpec): Resources {
  const requests = amounts(plan.resources.requests);
  const limits = amounts(plan.resources.limits);
  return {
    requests: { [LOCAL]: least(EPHEMERAL_STORAGE.request, limits[LOCAL]), ...requests },
    limits: { [LOCAL]: most(EPHEMERAL_STORAGE.limit, requests[LOCAL]), ...limits },
  };
}

/** Where a class states one of request and limit, the other fits it: a pod that asks for more than it may have is refused. */
function least(amount: string, limit: string | undefined): string {
  return limit !== undefined && parseQuantity(limit) < parseQuantity(amount) ? limit : amount;
}

function most(amount: string, request: string | undefined): string {
  return request !== undefined && parseQuantity(request) > parseQuantity(amount) ? request : amount;
}

function amounts(entries: Readonly<Record<string, string | number>>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).map(([name, amount]) => [name, String(amount)]));
}
