import * as z from "zod";
import { ConfigError, envBytes, envPort, envUrl, parseEnv } from "#lib/env.ts";
import { envKeyRing } from "#lib/env-key-ring.ts";
import type { KeyRing } from "#lib/keys.ts";
import { LOG_LEVELS } from "#lib/log.ts";

/** Where a model provider is and how to talk to it. */
export interface Provider {
  readonly name: string;
  /** Base URL of its OpenAI dialect, without a trailing slash. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** How long it may be silent, before its headers or inside an answer. */
  readonly timeoutMs: number;
}

/** What the model gateway runs with. */
export interface ModelGatewayConfig {
  readonly keyRing: KeyRing;
  readonly providers: ReadonlyMap<string, Provider>;
  readonly port: number;
  readonly opsPort: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** Path of a kubeconfig; undefined = in-cluster. */
  readonly kubeconfig: string | undefined;
  /** Calls that one slot may have open. */
  readonly maxCallsPerSlot: number;
  /** Bytes of request bodies held at a time until providers have them. */
  readonly maxBodyBytes: number;
  /** ... of one slot. */
  readonly maxBodyBytesPerSlot: number;
  /** How long calls may go on after SIGTERM. */
  readonly drainMs: number;
}

/** A thinking model may be silent for minutes; OpenClaw itself gives up after five. */
const DEFAULT_TIMEOUT_SECONDS = 300;

/** What goes into a header as it is; with anything else each call would fail, in words that could hold the key. */
const HEADER_TOKEN = /^[\x21-\x7e]+$/;

const providersSchema = z
  .record(
    z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, "is no provider name (lower-case letters, digits, dashes)"),
    z.strictObject({
      baseUrl: envUrl,
      apiKeyEnv: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is no name of an environment variable"),
      timeoutSeconds: z.int().min(1).max(3600).default(DEFAULT_TIMEOUT_SECONDS),
    }),
  )
  .refine((providers) => Object.keys(providers).length > 0, "names no provider");
type ProviderSettings = z.output<typeof providersSchema>;

const environment = z.object({
  OPENCLAW_ENCRYPTION_KEY: envKeyRing,
  MODEL_PROVIDERS: z
    .string()
    .transform(readProviderSettings)
    .describe('JSON: {"<provider>": {"baseUrl": "https://.../v1", "apiKeyEnv": "<environment variable>"}}'),
  PORT: envPort.default(8080),
  OPS_PORT: envPort.default(9090),
  LOG_LEVEL: z
    .enum(LOG_LEVELS)
    .default("info")
    .describe(`one of ${LOG_LEVELS.join(", ")}`),
  KUBECONFIG: z.string().optional().describe("the path of a kubeconfig; unset inside a cluster"),
  MAX_CALLS_PER_SLOT: z.coerce.number().int().min(1).default(32).describe("a whole number above 0"),
  MAX_BODY_BYTES: envBytes.default(67_108_864),
  MAX_BODY_BYTES_PER_SLOT: envBytes.default(33_554_432),
  DRAIN_SECONDS: z.coerce.number().int().min(0).max(3600).default(300).describe("seconds, 0 to 3600"),
});

/**
 * Reads the model gateway's configuration; await `keysReady` first.
 * @throws ConfigError naming every faulty variable and what it expects; provider keys that are named but not
 * set, or that no header can carry, count as faulty.
 */
export function readModelGatewayConfig(env: Readonly<Record<string, string | undefined>>): ModelGatewayConfig {
  const parsed = parseEnv(environment, env);
  return {
    keyRing: parsed.OPENCLAW_ENCRYPTION_KEY,
    providers: readProviders(parsed.MODEL_PROVIDERS, env),
    port: parsed.PORT,
    opsPort: parsed.OPS_PORT,
    logLevel: parsed.LOG_LEVEL,
    kubeconfig: parsed.KUBECONFIG,
    maxCallsPerSlot: parsed.MAX_CALLS_PER_SLOT,
    maxBodyBytes: parsed.MAX_BODY_BYTES,
    maxBodyBytesPerSlot: parsed.MAX_BODY_BYTES_PER_SLOT,
    drainMs: parsed.DRAIN_SECONDS * 1000,
  };
}

function readProviders(
  settings: ProviderSettings,
  env: Readonly<Record<string, string | undefined>>,
): Map<string, Provider> {
  const entries = Object.entries(settings);
  const lines = entries.flatMap(([name, { apiKeyEnv }]) => {
    const key = env[apiKeyEnv];
    if (key && HEADER_TOKEN.test(key)) return [];
    return `  ${apiKeyEnv}: ${key ? "is malformed" : "is not set"} (expects the API key of provider ${name}, visible ASCII characters)`;
  });
  if (lines.length > 0) throw new ConfigError(`the environment is not usable:\n${lines.join("\n")}`);
  return new Map(
    entries.map(([name, { baseUrl, apiKeyEnv, timeoutSeconds }]) => [
      name,
      { name, baseUrl, apiKey: env[apiKeyEnv] ?? "", timeoutMs: timeoutSeconds * 1000 },
    ]),
  );
}

function readProviderSettings(text: string, context: z.RefinementCtx): ProviderSettings {
  const result = providersSchema.safeParse(parseJson(text));
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const where = issue.path.length > 0 ? `at ${issue.path.join(".")}: ` : "";
    const fault = issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
    context.addIssue({ code: "custom", message: `${where}${fault}` });
  }
  return z.NEVER;
}

/** The parsed text, or undefined for what is no JSON, which no schema takes. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
