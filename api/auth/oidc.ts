import type { Registry } from "prom-client";
import type { Clock } from "#lib/clock.ts";
import type { Logger } from "#lib/log.ts";
import { ApiError } from "../errors.ts";
import { isApiToken } from "./api-token.ts";
import { type Authenticator, unauthorized } from "./authenticator.ts";
import { authorizationOf } from "./credential-headers.ts";
import type { Identity } from "./identity.ts";
import { createDocumentFetcher } from "./oidc-document.ts";
import type { OidcConfig } from "./oidc-env.ts";
import { identityOf } from "./oidc-identity.ts";
import { createIssuerKeys, type IssuerKeys } from "./oidc-issuer-keys.ts";
import type { OidcIssuer } from "./oidc-issuers.ts";
import { createOidcMetrics } from "./oidc-metrics.ts";
import { TokenRefusal } from "./oidc-refusal.ts";
import { quote, readKeyHint, readToken, verifyToken } from "./oidc-token.ts";
import { createVerifiedTokens } from "./oidc-verified-tokens.ts";

/** Sign-in by tokens of OIDC issuers. */
export interface Oidc {
  readonly authenticator: Authenticator;
  /** What is wrong with which issuer, in words without a secret; undefined while the keys of all are known. Asks nobody. */
  fault(): string | undefined;
  /** Keeps the issuers' keys fresh until the signal aborts. Never throws. */
  run(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** What sign-in needs. */
export interface OidcOptions {
  readonly config: OidcConfig;
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry: Registry;
  /** In [0, 1); default Math.random. */
  readonly random?: () => number;
}

interface Trusted {
  readonly issuer: OidcIssuer;
  readonly keys: IssuerKeys;
}

/**
 * Sign-in by the issuers of the configuration. Every bearer token but API tokens is decided here, also where there is no issuer.
 * @throws Error when the file of authorities cannot be read.
 */
export function createOidc({ config, clock, log, registry, random = Math.random }: OidcOptions): Oidc {
  const metrics = createOidcMetrics(registry);
  const { fetchDocument, close } = createDocumentFetcher({ clock, caFile: config.caFile });
  const verified = createVerifiedTokens();
  const trusted = new Map(
    config.issuers.map((issuer): [string, Trusted] => {
      const onChange = (isUp: boolean) => metrics.up(issuer.issuer, isUp);
      const refreshMs = config.keyRefreshSeconds * 1000;
      return [
        issuer.issuer,
        { issuer, keys: createIssuerKeys({ issuer, refreshMs, fetchDocument, clock, log, onChange, random }) },
      ];
    }),
  );

  async function identify(text: string): Promise<Identity> {
    if (trusted.size === 0) throw new TokenRefusal("no issuers configured");
    const known = verified.get(text, clock.now());
    if (known) return known.identity;
    const token = readToken(text);
    const from = trusted.get(token.issuer);
    if (!from) throw new TokenRefusal("wrong issuer", quote(token.issuer));
    const { issuer, keys } = from;
    const hint = readKeyHint(token, issuer);
    const key = await keys.find(hint);
    if (!key) throw new TokenRefusal("unknown key", `${issuer.issuer} has none that is ${quote(hint)}`);
    const { leewaySeconds, maxTokenAgeSeconds } = config;
    const claims = await verifyToken(token, issuer, key, {
      now: new Date(clock.now()),
      leewaySeconds,
      maxTokenAgeSeconds,
    });
    const identity = identityOf(claims, issuer);
    const goodUntil = (Math.min(claims.exp, claims.iat + maxTokenAgeSeconds) + leewaySeconds) * 1000;
    verified.set(text, { identity, goodUntil, isKeyHeld: () => keys.holds(key.thumbprint) });
    return identity;
  }

  const authenticator: Authenticator = {
    scheme: "oidc",
    async authenticate(headers) {
      const token = authorizationOf(headers, "Bearer");
      if (token === undefined || isApiToken(token)) return undefined;
      try {
        return await identify(token);
      } catch (error) {
        if (error instanceof ApiError) metrics.refused("issuer unavailable");
        if (!(error instanceof TokenRefusal)) throw error;
        metrics.refused(error.reason);
        throw unauthorized(error.message);
      }
    },
  };

  return {
    authenticator,
    fault() {
      const faults = [...trusted].flatMap(([name, { keys }]) => {
        const fault = keys.fault();
        return fault === undefined ? [] : [`${name}: ${fault}`];
      });
      return faults.length > 0 ? faults.join("; ") : undefined;
    },
    async run(signal) {
      await Promise.all([...trusted.values()].map(({ keys }) => keys.run(signal)));
    },
    close,
  };
}
