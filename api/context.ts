import type { Registry } from "prom-client";
import { INSTANCES, type OpenClawInstance } from "#crds/index.ts";
import type { Clock } from "#lib/clock.ts";
import type { KeyRing } from "#lib/keys.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import type { Informer } from "#lib/kube/informer.ts";
import type { Logger } from "#lib/log.ts";
import { createAdmins } from "./access/admins.ts";
import { type AccessGate, createAccessGate } from "./access/gate.ts";
import { agentKeyAuthenticator } from "./auth/agent-key.ts";
import { apiTokenAuthenticator } from "./auth/api-token.ts";
import type { Authenticator } from "./auth/authenticator.ts";
import { internalKeyAuthenticator } from "./auth/internal-key.ts";
import { createOidc, type Oidc } from "./auth/oidc.ts";
import type { ApiConfig } from "./config.ts";
import { createLastUse, type LastUse } from "./credentials/last-use.ts";
import { type CredentialVerifier, createCredentialVerifier } from "./credentials/verifier.ts";
import type { DriftWatcher } from "./http/drift.ts";
import { createHttpMetrics, type HttpMetrics } from "./http/metrics.ts";
import { createDirectory, INSTANCE_INDEXES, type InstanceDirectory } from "./instances/directory.ts";
import { createFreshness, type Freshness } from "./instances/freshness.ts";
import { createInstanceService, type InstanceService } from "./instances/service.ts";
import { upstreamResolver } from "./instances/upstream.ts";
import { type ByteBudget, createByteBudget } from "./limit/byte-budget.ts";
import { createOpenStreams } from "./limit/open-streams.ts";
import { createRateLimit, type RateLimit } from "./limit/rate.ts";
import { createProxyMetrics } from "./proxy/metrics.ts";
import { GatewayAgent } from "./proxy/pool.ts";
import type { GatewayProxy } from "./proxy/proxy.ts";
import type { Store } from "./store/store.ts";

/** Everything a request may need; made once per process, and by tests with parts of their own. */
export interface ApiContext {
  readonly log: Logger;
  readonly clock: Clock;
  /** A fresh id for a request that brought none. */
  readonly newId: () => string;
  /** Asked in this order. */
  readonly authenticators: readonly Authenticator[];
  /** Those that we made: API tokens and agents' keys. */
  readonly credentials: CredentialVerifier;
  readonly lastUse: LastUse;
  /** Of first-party servers on the internal listener; undefined = there is no such listener. */
  readonly controlKey: string | undefined;
  readonly keyRing: KeyRing;
  readonly access: AccessGate;
  /** Calls by tenant. */
  readonly rate: RateLimit;
  /** Calls without a credential, by client address. */
  readonly addressRate: RateLimit;
  /** Addresses and ranges of proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  readonly store: Pick<Store, "db">;
  readonly directory: InstanceDirectory;
  readonly instances: InstanceService;
  readonly proxy: GatewayProxy;
  /** Bytes of bodies, of requests and of answers read whole, that may be held at a time. */
  readonly bodies: ByteBudget;
  readonly metrics: HttpMetrics;
  /** Origins whose pages may call, in lower case. */
  readonly allowedOrigins: ReadonlySet<string>;
  /** In tests: told of every answer that is not as its route declares. */
  readonly onDrift?: DriftWatcher | undefined;
  /** Aborts when the process is asked to stop: our own streams end, relayed ones may finish. */
  readonly draining: AbortSignal;
}

/** What a context is made of. */
export interface ContextParts {
  readonly config: ApiConfig;
  readonly client: KubeClient;
  readonly store: Store;
  /** Over {@link instanceInformerOptions}; running it is the caller's business. */
  readonly informer: Informer<OpenClawInstance>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry: Registry;
  readonly newId: () => string;
  readonly draining: AbortSignal;
  readonly onDrift?: DriftWatcher | undefined;
}

/** What the context's informer watches, and by what it finds. */
export function instanceInformerOptions(namespace: string) {
  return { type: INSTANCES, namespace, indexes: INSTANCE_INDEXES };
}

/** Calls of one address that need no credential, in the long run and at once: people who join, not programs. */
const ADDRESS_RATE = { perMinute: 30, burst: 30 };

/**
 * Puts the API together; running `oidc` is the caller's business. `close`, which still needs the store, ends the connections that
 * were made and writes what is to be written.
 */
export function createContext(parts: ContextParts): {
  context: ApiContext;
  freshness: Freshness;
  oidc: Oidc;
  close: () => Promise<void>;
} {
  const { config, client, store, informer, clock, log, registry, newId, draining, onDrift } = parts;
  const namespace = config.tenantNamespace;
  const directory = createDirectory(informer);
  const freshness = createFreshness({ client, informer, namespace, clock });
  const instances = createInstanceService({ client, informer, directory, freshness, namespace, clock });
  const bodies = createByteBudget({ total: config.maxBodyBytes, perOwner: config.maxBodyBytesPerTenant });
  const proxy: GatewayProxy = {
    agent: new GatewayAgent(),
    resolve: upstreamResolver({ directory, instances, keyRing: config.keyRing }),
    streams: createOpenStreams(config.maxStreamsPerTenant),
    bytes: bodies,
    metrics: createProxyMetrics(registry),
    clock,
  };
  const lastUse = createLastUse({ store, clock, log });
  const credentials = createCredentialVerifier({ store, keyRing: config.keyRing, clock, lastUse });
  const oidc = createOidc({ config: config.oidc, clock, log, registry });
  const admins = createAdmins(config.admins);
  const context: ApiContext = {
    log,
    clock,
    newId,
    authenticators: [
      internalKeyAuthenticator(config.internalKey),
      agentKeyAuthenticator(credentials),
      apiTokenAuthenticator(credentials),
      oidc.authenticator,
    ],
    credentials,
    lastUse,
    controlKey: config.controlKey,
    keyRing: config.keyRing,
    access: createAccessGate({ store, mode: config.accessMode, admins, clock }),
    rate: createRateLimit({ perMinute: config.ratePerMinute, burst: config.rateBurst, clock }),
    addressRate: createRateLimit({ ...ADDRESS_RATE, clock }),
    trustedProxies: config.trustedProxies,
    store,
    directory,
    instances,
    proxy,
    bodies,
    metrics: createHttpMetrics(registry),
    allowedOrigins: new Set(config.allowedOrigins),
    draining,
    onDrift,
  };
  return {
    context,
    freshness,
    oidc,
    async close() {
      await Promise.all([proxy.agent.destroy(), lastUse.close(), oidc.close()]);
    },
  };
}
