import { tenantKey } from "#crds/index.ts";
import { authenticate, type DistinctHeaders } from "../auth/authenticator.ts";
import type { Identity } from "../auth/identity.ts";
import type { ApiContext } from "../context.ts";
import { ApiError } from "../errors.ts";
import type { StreamRoute, TenantRoute } from "./route.ts";

/** Who may call, and whether as an admin. */
export interface Authorized {
  readonly identity: Identity;
  /** Is an admin, whose credential has that scope; false also where the route asks for no more than a credential. */
  readonly isAdmin: boolean;
}

/**
 * Who calls, if they may call this route: credential, scope, access gate and rate, in this order.
 * @throws ApiError 401, 403 or 429; StoreError when Postgres has to be asked and can't be.
 */
export async function authorize(
  context: ApiContext,
  route: TenantRoute | StreamRoute,
  headers: DistinctHeaders,
): Promise<Authorized> {
  const freshness = { mayBeRemembered: route.mayBeRemembered ?? false };
  const identity = await authenticate(context.authenticators, headers, freshness);
  if (route.scope !== null && !identity.scopes.has(route.scope)) {
    throw new ApiError("insufficient_scope", `the credential lacks the scope ${route.scope}`);
  }
  if (route.humansOnly && identity.tenant.kind !== "Human") {
    throw new ApiError("humans_only", "only a human may do this, not an agent");
  }
  const status = route.access === "signed-in" ? undefined : await context.access.check(identity, freshness);
  const isAdmin = status?.isAdmin === true && identity.scopes.has("admin");
  if (route.access === "admin" && !isAdmin) {
    throw new ApiError("admin_required", "access denied: only admins may do this");
  }
  context.rate.take(tenantKey(identity.tenant));
  return { identity, isAdmin };
}
