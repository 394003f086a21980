import { Registry } from "prom-client";
import * as z from "zod";
import type { Clock } from "#lib/clock.ts";
import { parseEnv } from "#lib/env.ts";
import { createLogger } from "#lib/log.ts";
import type { Identity } from "../auth/identity.ts";
import { createOidc, type Oidc } from "../auth/oidc.ts";
import { oidcConfig, oidcEnv } from "../auth/oidc-env.ts";

/** Sign-in by itself, as the variables describe it. */
export interface SignIn extends AsyncDisposable {
  readonly oidc: Oidc;
  readonly registry: Registry;
  /** Who a bearer token is of. */
  identify(token: string): Promise<Identity | undefined>;
  /** Why a bearer token is refused; `code` is what the caller learns. */
  refusalOf(token: string): Promise<{ code: string; message: string; logReason: string; retryAfterSeconds?: number }>;
}

/** Sets it up for these entries of `OIDC_ISSUERS`. */
export function signInBy(clock: Clock, issuers: readonly object[], env: Record<string, string> = {}): SignIn {
  const config = oidcConfig(parseEnv(z.object(oidcEnv), { OIDC_ISSUERS: JSON.stringify(issuers), ...env }));
  const registry = new Registry();
  const oidc = createOidc({ config, clock, log: createLogger("test", "silent"), registry, random: () => 0 });
  const identify = (token: string) =>
    oidc.authenticator.authenticate({ authorization: [`Bearer ${token}`] }, { mayBeRemembered: false });
  return {
    oidc,
    registry,
    identify,
    refusalOf: (token) =>
      identify(token).then(
        (identity) => Promise.reject(new Error(`it was taken: ${JSON.stringify(identity)}`)),
        (error) => error,
      ),
    [Symbol.asyncDispose]: () => oidc.close(),
  };
}
