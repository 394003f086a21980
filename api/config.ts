import * as z from "zod";
import { envBytes, envPort, parseEnv } from "#lib/env.ts";
import { envKeyRing } from "#lib/env-key-ring.ts";
import type { KeyRing } from "#lib/keys.ts";
import { LOG_LEVELS } from "#lib/log.ts";
import type { AdminConfig } from "./access/admins.ts";
import { ACCESS_MODES } from "./access/gate.ts";
import { normalizeEmail } from "./auth/email.ts";
import { type OidcConfig, oidcConfig, oidcEnv } from "./auth/oidc-env.ts";
import { isProxyRange } from "./http/client-address.ts";
import { type DatabaseConfig, databaseConfig, databaseEnv } from "./store/database-env.ts";

const MEBIBYTE = 1024 * 1024;

/** A list given as text, separated by commas; spaces around them don't count. */
const envList = z
  .string()
  .default("")
  .transform((text) => text.split(",").flatMap((part) => part.trim() || []));

const envSchema = z.object({
  OPENCLAW_ENCRYPTION_KEY: envKeyRing,
  OA_INTERNAL_KEY: z
    .string()
    .regex(/^[\x21-\x7e]{32,512}$/, "is malformed")
    .describe("the key shared with first-party servers, 32 to 512 visible ASCII characters"),
  OA_CONTROL_KEY: z
    .string()
    .regex(/^[\x21-\x7e]{32,512}$/, "is malformed")
    .optional()
    .describe("the key of the internal listener, 32 to 512 visible ASCII characters"),
  CONTROL_PORT: envPort.default(8081),
  TENANT_NAMESPACE: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "is not a namespace")
    .describe("the namespace of the tenants' instances"),
  ...databaseEnv,
  ...oidcEnv,
  ACCESS_MODE: z
    .enum(ACCESS_MODES)
    .default("approved")
    .describe(`one of ${ACCESS_MODES.join(", ")}`),
  OA_ADMIN_USER_IDS: envList.describe("user ids, separated by commas"),
  OA_ADMIN_EMAILS: envList
    .transform((emails) => emails.map((email) => normalizeEmail(email) ?? ""))
    .refine((emails) => !emails.includes(""), "holds what is no e-mail address")
    .describe("e-mail addresses, separated by commas"),
  OA_ADMIN_GROUP: z.string().max(256).optional().describe("a group of the identity provider"),
  TRUSTED_PROXIES: envList
    .refine((ranges) => ranges.every(isProxyRange), "holds what is no address and no range of some addresses")
    .describe("addresses and CIDR ranges of proxies that set X-Forwarded-For, separated by commas"),
  ALLOWED_ORIGINS: envList
    .refine((origins) => origins.every(isOrigin), "holds what is no origin")
    .describe("origins such as https://console.example.org, separated by commas"),
  RATE_PER_MINUTE: z.coerce.number().int().min(1).default(1200).describe("a whole number above 0"),
  RATE_BURST: z.coerce.number().int().min(1).default(300).describe("a whole number above 0"),
  PORT: envPort.default(8080),
  OPS_PORT: envPort.default(9090),
  LOG_LEVEL: z
    .enum(LOG_LEVELS)
    .default("info")
    .describe(`one of ${LOG_LEVELS.join(", ")}`),
  KUBECONFIG: z.string().optional().describe("path of a kubeconfig; the pod's own service account when unset"),
  MAX_STREAMS_PER_TENANT: z.coerce.number().int().min(1).default(32).describe("a whole number above 0"),
  MAX_BODY_BYTES: envBytes.default(64 * MEBIBYTE),
  MAX_BODY_BYTES_PER_TENANT: envBytes.default(32 * MEBIBYTE),
  DRAIN_SECONDS: z.coerce.number().int().min(0).max(3600).default(300).describe("seconds, 0 to 3600"),
});

/** As a browser sends it (RFC 6454): scheme, host and port, nothing behind. */
function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** Everything the API is told from outside. */
export interface ApiConfig {
  keyRing: KeyRing;
  internalKey: string;
  /** Without it there is no internal listener. */
  controlKey: string | undefined;
  controlPort: number;
  tenantNamespace: string;
  database: DatabaseConfig;
  oidc: OidcConfig;
  accessMode: (typeof ACCESS_MODES)[number];
  admins: AdminConfig;
  /** Addresses and CIDR ranges of proxies whose `X-Forwarded-For` is believed. */
  trustedProxies: readonly string[];
  /** Origins whose pages may call the API. */
  allowedOrigins: readonly string[];
  /** Calls of one tenant in the long run, and at once. */
  ratePerMinute: number;
  rateBurst: number;
  port: number;
  opsPort: number;
  logLevel: (typeof LOG_LEVELS)[number];
  kubeconfig: string | undefined;
  /** Open calls to one tenant's gateway, and open watches of one tenant, together. */
  maxStreamsPerTenant: number;
  /**
   * Bytes held at a time: request bodies until gateways have them, and answers of gateways that are read whole. Each costs memory
   * several times while it is read.
   */
  maxBodyBytes: number;
  /** ... of one tenant. */
  maxBodyBytesPerTenant: number;
  /** How long streams may go on after SIGTERM, beyond the seconds it takes until no new ones come. */
  drainSeconds: number;
}

/**
 * Reads the API's environment. Needs `keysReady()`.
 * @throws ConfigError naming each faulty variable.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): ApiConfig {
  const given = parseEnv(envSchema, env);
  return {
    keyRing: given.OPENCLAW_ENCRYPTION_KEY,
    internalKey: given.OA_INTERNAL_KEY,
    controlKey: given.OA_CONTROL_KEY,
    controlPort: given.CONTROL_PORT,
    tenantNamespace: given.TENANT_NAMESPACE,
    database: databaseConfig(given),
    oidc: oidcConfig(given),
    accessMode: given.ACCESS_MODE,
    admins: { userIds: given.OA_ADMIN_USER_IDS, emails: given.OA_ADMIN_EMAILS, group: given.OA_ADMIN_GROUP },
    trustedProxies: given.TRUSTED_PROXIES,
    allowedOrigins: given.ALLOWED_ORIGINS,
    ratePerMinute: given.RATE_PER_MINUTE,
    rateBurst: given.RATE_BURST,
    port: given.PORT,
    opsPort: given.OPS_PORT,
    logLevel: given.LOG_LEVEL,
    kubeconfig: given.KUBECONFIG,
    maxStreamsPerTenant: given.MAX_STREAMS_PER_TENANT,
    maxBodyBytes: given.MAX_BODY_BYTES,
    maxBodyBytesPerTenant: given.MAX_BODY_BYTES_PER_TENANT,
    drainSeconds: given.DRAIN_SECONDS,
  };
}
