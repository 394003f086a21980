import type { Tenant } from "#crds/index.ts";
import type { DistinctHeaders } from "./auth/authenticator.ts";
import type { Scope } from "./auth/scopes.ts";
import type { ApiContext } from "./context.ts";
import { ApiError } from "./errors.ts";
import { createGatewaySockets, type GatewaySockets } from "./gateway-socket/gateway-sockets.ts";
import { authorize } from "./http/authorize.ts";
import { openGateway } from "./routes/open-gateway.ts";

/** What one can do by a gateway's WebSocket: read, change and chat. */
const SCOPES: readonly Scope[] = ["openclaw:read", "openclaw:write", "openclaw:chat"];

/** The public listener's WebSockets. */
export function createSockets(context: ApiContext): GatewaySockets {
  const { proxy, metrics, allowedOrigins, clock, log, newId, draining } = context;
  const route = openGateway();

  async function authorizeSocket(headers: DistinctHeaders): Promise<Tenant> {
    const { identity } = await authorize(context, route, headers);
    const lacking = SCOPES.filter((scope) => !identity.scopes.has(scope));
    if (lacking.length === 0) return identity.tenant;
    throw new ApiError("insufficient_scope", `the credential lacks the scope ${lacking.join(" and ")}`);
  }

  return createGatewaySockets({
    authorize: authorizeSocket,
    resolve: proxy.resolve,
    streams: proxy.streams,
    metrics: proxy.metrics,
    http: metrics,
    allowedOrigins,
    clock,
    log,
    newId,
    draining,
  });
}
