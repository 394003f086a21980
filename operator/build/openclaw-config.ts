import { GATEWAY_PORT } from "#crds/names.ts";
import { isJsonObject, type JsonObject, siftConfig } from "./forbidden-config.ts";

/** Where the runtime image has the plugin that serves gateway methods over HTTP, and the plugin's id. */
const BRIDGE_PLUGIN = { id: "hatchery-bridge", path: "/opt/hatchery/plugins/bridge" } as const;

/** Name of the one model provider in a tenant's configuration: the model gateway. */
const PROVIDER = "hatchery";

/** Environment variables of the container that carry the slot's credentials; the configuration only refers to them. */
export const CREDENTIAL_ENV = { gatewayToken: "OPENCLAW_GATEWAY_TOKEN", modelKey: "HATCHERY_MODEL_KEY" } as const;

/** What the agent may run in its pod, as OpenClaw calls it. */
const EXEC_MODE = { Allow: "full", Ask: "ask", Deny: "deny" } as const;

/** Tools that `POST /tools/invoke` does not serve unless the instance allows them: they fetch for the caller. */
const TOOLS_DENIED_BY_DEFAULT = ["browser", "web_fetch", "web_search"] as const;

/** A model of the class as the agent sees it; sizes in tokens. */
export interface AgentModel {
  readonly name: string;
  readonly contextWindow?: number | undefined;
  readonly maxTokens?: number | undefined;
}

/** What a tenant's openclaw.json is rendered from. */
export interface OpenClawConfigInput {
  readonly className: string;
  readonly models: readonly AgentModel[];
  /** Name of one of `models`. */
  readonly defaultModel: string;
  readonly exec: keyof typeof EXEC_MODE;
  /** Base URL of the model gateway, without `/v1`. */
  readonly modelGatewayUrl: string;
  /** For `POST /tools/invoke` only. */
  readonly toolsAllow?: readonly string[] | undefined;
  readonly toolsDeny?: readonly string[] | undefined;
  /** Merged over the operator's configuration, the instance's over the class's; `null` removes a key. */
  readonly classConfig?: JsonObject | undefined;
  readonly instanceConfig?: JsonObject | undefined;
}

/** A rendered configuration (keys sorted) and the paths of keys that were refused and left out, class and instance together. */
export interface OpenClawConfig {
  readonly config: JsonObject;
  readonly forbidden: string[];
}

/**
 * The configuration of one tenant's OpenClaw. Equal input gives an equal result, whatever the order of its keys.
 * It holds no secret: the gateway token and the model key are references to the container's environment.
 * @throws RangeError when `defaultModel` is not one of `models`.
 */
export function buildOpenClawConfig(input: OpenClawConfigInput): OpenClawConfig {
  if (!input.models.some((model) => model.name === input.defaultModel)) {
    throw new RangeError(`model ${JSON.stringify(input.defaultModel)} is not one of the class's`);
  }
  const ofClass = siftConfig(input.classConfig ?? {}, "class");
  const ofInstance = siftConfig(input.instanceConfig ?? {}, "instance");
  const merged = [ofClass.allowed, ofInstance.allowed].reduce(mergeConfig, operatorConfig(input));
  return {
    config: sortKeys(merged) as JsonObject,
    forbidden: [
      ...new Set([
        ...ofClass.forbidden,
        ...ofInstance.forbidden,
        ...sharedServers(ofClass.allowed, ofInstance.allowed),
      ]),
    ].sort(),
  };
}

/** A class may send a credential to its MCP servers: an instance that moved one would be sent it. */
function sharedServers(ofClass: JsonObject, ofInstance: JsonObject): string[] {
  const [theirs, own] = [ofClass, ofInstance].map(({ mcp }) => (isJsonObject(mcp) ? mcp.servers : undefined));
  if (!isJsonObject(theirs) || !isJsonObject(own)) return [];
  return Object.keys(own)
    .filter((name) => Object.hasOwn(theirs, name))
    .map((name) => `mcp.servers.${name}`);
}

/** The text of openclaw.json. */
export function renderOpenClawConfig(config: JsonObject): string {
  return `${JSON.stringify(sortKeys(config), null, 2)}\n`;
}

function operatorConfig(input: OpenClawConfigInput): JsonObject {
  return {
    gateway: gatewayConfig(input),
    plugins: {
      allow: ["admin-http-rpc", BRIDGE_PLUGIN.id],
      load: { paths: [BRIDGE_PLUGIN.path] },
      entries: { "admin-http-rpc": { enabled: true }, [BRIDGE_PLUGIN.id]: { enabled: true } },
      slots: { memory: "none" },
    },
    // The network policy lets nothing of this out; off, it also costs no start-up time and no log lines.
    discovery: { mdns: { mode: "off" } },
    update: { checkOnStart: false, auto: { enabled: false } },
    telemetry: { enabled: false },
    browser: { enabled: false },
    // An agent that wakes by itself spends tokens nobody asked for; a class may turn it on.
    cron: { enabled: false },
    // Replies are printed at info; at warn they stay out of the log file in /tmp.
    logging: { level: "warn", consoleLevel: "info", consoleStyle: "json", maxFileBytes: 10_000_000 },
    models: modelsConfig(input),
    tools: { exec: { mode: EXEC_MODE[input.exec] }, fs: { workspaceOnly: true } },
    agents: {
      defaults: {
        model: { primary: `${PROVIDER}/${modelId(input.className, input.defaultModel)}` },
        skipBootstrap: true,
        timeoutSeconds: 600,
        heartbeat: { every: "0m" },
      },
    },
  };
}

function gatewayConfig(input: OpenClawConfigInput): JsonObject {
  const allow = sortedSet(input.toolsAllow ?? []);
  const deny = sortedSet([
    ...TOOLS_DENIED_BY_DEFAULT.filter((tool) => !allow.includes(tool)),
    ...(input.toolsDeny ?? []),
  ]);
  return {
    mode: "local",
    port: GATEWAY_PORT,
    bind: "lan",
    auth: {
      mode: "token",
      token: envReference(CREDENTIAL_ENV.gatewayToken),
      // All callers are the API and the operator: the default would lock their address out for minutes, good tokens included.
      rateLimit: { maxAttempts: 1000, windowMs: 60_000, lockoutMs: 1000 },
    },
    controlUi: { enabled: false },
    terminal: { enabled: false },
    nodes: { pairing: { autoApproveLocal: false, sshVerify: false } },
    http: {
      endpoints: {
        responses: { enabled: true, files: { allowUrl: false }, images: { allowUrl: false } },
        chatCompletions: { enabled: true },
      },
    },
    tools: { ...(allow.length > 0 ? { allow } : {}), deny },
  };
}

function modelsConfig(input: OpenClawConfigInput): JsonObject {
  const provider = {
    baseUrl: `${input.modelGatewayUrl}/v1`,
    api: "openai-completions",
    apiKey: envReference(CREDENTIAL_ENV.modelKey),
    timeoutSeconds: 300,
    models: input.models.map((model) => ({
      id: modelId(input.className, model.name),
      name: model.name,
      input: ["text"],
      contextWindow: model.contextWindow ?? 128_000,
      maxTokens: model.maxTokens ?? 8192,
      cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
      // OpenClaw asks providers it does not know for no usage, and would compact its sessions by guess.
      compat: { supportsUsageInStreaming: true },
    })),
  };
  return { mode: "replace", catalogRefresh: { enabled: false }, providers: { [PROVIDER]: provider } };
}

/** How a class's model is called between pod and model gateway; two classes may use one name. */
function modelId(className: string, model: string): string {
  return `${className}/${model}`;
}

/** A reference fails closed when the variable is missing, where `${NAME}` in a string would start with a random token. */
function envReference(name: string): JsonObject {
  return { source: "env", provider: "default", id: name };
}

/** JSON merge patch (RFC 7396): objects merge, `null` removes, everything else replaces. */
function mergeConfig(base: JsonObject, patch: JsonObject): JsonObject {
  const result = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      result.delete(key);
      continue;
    }
    const current = result.get(key);
    result.set(key, isJsonObject(value) ? mergeConfig(isJsonObject(current) ? current : {}, value) : value);
  }
  return Object.fromEntries(result);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sortKeys(item)]),
  );
}

function sortedSet(items: readonly string[]): string[] {
  return [...new Set(items)].sort();
}
