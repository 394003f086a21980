import * as z from "zod";
import { dnsLabel } from "#crds/schema/scalars.ts";
import { envPort, envUrl, parseEnv } from "#lib/env.ts";
import { envKeyRing } from "#lib/env-key-ring.ts";
import type { KeyRing } from "#lib/keys.ts";
import { LOG_LEVELS } from "#lib/log.ts";

const commaList = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  );

/** Environment of the operator; the descriptions are what an operator of the operator reads when one is missing. */
const environment = z.object({
  OPENCLAW_ENCRYPTION_KEY: envKeyRing,
  MODEL_GATEWAY_URL: envUrl.describe(
    "the model gateway as pods reach it, e.g. http://hatchery-model-gateway.hatchery.svc:8080",
  ),
  POD_NAMESPACE: z.string().describe("the namespace this process runs in"),
  POD_NAME: z.string().describe("the name of this pod, its identity in the leader election"),
  LEASE_NAME: dnsLabel()
    .default("hatchery-operator")
    .describe("the Lease that the operators of one release compete for, e.g. hatchery-operator"),
  OPS_PORT: envPort.default(9090).describe("a TCP port, 0 to 65535"),
  LOG_LEVEL: z
    .enum(LOG_LEVELS)
    .default("info")
    .describe(`one of ${LOG_LEVELS.join(", ")}`),
  KUBECONFIG: z.string().optional().describe("the path of a kubeconfig; unset inside a cluster"),
  WORKERS: z.coerce
    .number()
    .int()
    .min(1)
    .max(256)
    .default(8)
    .describe("how many instances are worked on at a time, 1 to 256"),
  WATCH_NAMESPACES: commaList
    .pipe(z.array(dnsLabel()).refine((names) => new Set(names).size === names.length))
    .describe("namespaces to work in, separated by commas, each once; all when empty"),
  GATEWAY_RECHECK_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .max(3600)
    .default(180)
    .describe("about how long until a gateway that serves is called again, 1 to 3600 seconds"),
  DNS_CIDRS: commaList
    .pipe(z.array(z.union([z.cidrv4(), z.cidrv6()])))
    .describe("addresses of DNS servers that are no pods, as CIDRs separated by commas"),
});

/** What the operator runs with. */
export interface OperatorConfig {
  readonly keyRing: KeyRing;
  /** Base URL of the model gateway as pods reach it, without a trailing slash. */
  readonly modelGatewayUrl: string;
  /** Namespace of the control plane. */
  readonly namespace: string;
  /** Identity in the leader election. */
  readonly podName: string;
  /** Name of the Lease that the leading operator holds. */
  readonly leaseName: string;
  readonly opsPort: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** Path of a kubeconfig; undefined = in-cluster. */
  readonly kubeconfig: string | undefined;
  readonly workers: number;
  /** The namespaces to work in; undefined = all. */
  readonly watchNamespaces: readonly string[] | undefined;
  /** About how long until a gateway that serves is called again. */
  readonly gatewayRecheckMs: number;
  /** DNS servers outside pods that tenants may ask, as CIDRs. */
  readonly dnsCidrs: readonly string[];
}

/**
 * Reads the operator's configuration; await `keysReady` first.
 * @throws ConfigError naming every faulty variable and what it expects.
 */
export function readOperatorConfig(env: Readonly<Record<string, string | undefined>>): OperatorConfig {
  const parsed = parseEnv(environment, env);
  return {
    keyRing: parsed.OPENCLAW_ENCRYPTION_KEY,
    modelGatewayUrl: parsed.MODEL_GATEWAY_URL,
    namespace: parsed.POD_NAMESPACE,
    podName: parsed.POD_NAME,
    leaseName: parsed.LEASE_NAME,
    opsPort: parsed.OPS_PORT,
    logLevel: parsed.LOG_LEVEL,
    kubeconfig: parsed.KUBECONFIG,
    workers: parsed.WORKERS,
    watchNamespaces: parsed.WATCH_NAMESPACES.length > 0 ? parsed.WATCH_NAMESPACES : undefined,
    gatewayRecheckMs: parsed.GATEWAY_RECHECK_SECONDS * 1000,
    dnsCidrs: parsed.DNS_CIDRS,
  };
}
