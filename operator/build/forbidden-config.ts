/** A JSON object as it comes out of a custom resource. */
export type JsonObject = { readonly [key: string]: unknown };

/**
 * Keys of an OpenClaw configuration that belong to the operator. A pattern names a key and with it all below; `*` is any
 * one key, `PREFIX_*` any key that starts so.
 */
const FORBIDDEN = [
  // How the API and the operator reach the gateway and prove themselves to it.
  "gateway.mode",
  "gateway.port",
  "gateway.bind",
  "gateway.customBindHost",
  "gateway.auth",
  "gateway.tls",
  "gateway.trustedProxies",
  "gateway.allowRealIpFallback",
  "gateway.publicOrigin",
  "gateway.tailscale",
  "gateway.remote",
  "gateway.roles",
  "gateway.http.endpoints",
  "hooks.token",
  // Doors besides the API's.
  "gateway.controlUi",
  "gateway.terminal",
  "gateway.portals",
  "gateway.nodes",
  // The instance has fields of its own for these: spec.gateway.toolsAllow and toolsDeny, spec.model.default.
  "gateway.tools",
  "agents.defaults.model.primary",
  // Models come from the class and are reached through the model gateway with the pod's virtual key.
  "models",
  "auth",
  "secrets",
  // Code that runs inside the gateway process.
  "plugins",
  // The class decides what the agent may run (agent.exec); what would widen it is not the instance's to say.
  "tools.exec.mode",
  "tools.exec.security",
  "tools.exec.ask",
  "tools.exec.host",
  "tools.exec.node",
  "tools.elevated",
  "tools.fs",
  "commands.bash",
  "agents.entries.*.tools.exec",
  "agents.entries.*.tools.elevated",
  "agents.entries.*.tools.fs",
  // Switches of the process itself.
  "env.vars.OPENCLAW_*",
  "env.vars.HATCHERY_*",
].map((pattern) => pattern.split("."));

/** Refused wherever they stand: an include reads what the agent can write, the others are traps of JavaScript objects. */
const FORBIDDEN_ANYWHERE: ReadonlySet<string> = new Set(["$include", "__proto__", "constructor", "prototype"]);

/** What of a configuration may be merged, and the paths (`gateway.auth`) of what may not. */
export interface Sifted {
  readonly allowed: JsonObject;
  readonly forbidden: readonly string[];
}

/**
 * Parts the keys of a user's OpenClaw configuration that carry auth, bind, port, model credentials, plugins or exec policy
 * from the rest. Overwriting a parent of such a key with something that is no object counts as touching the key.
 */
export function siftConfig(config: JsonObject): Sifted {
  const forbidden: string[] = [];
  const allowed = siftObject(config, [], FORBIDDEN, forbidden);
  return { allowed, forbidden: forbidden.sort() };
}

/** True for `{...}`: not null, not a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function siftObject(
  object: JsonObject,
  path: readonly string[],
  patterns: readonly string[][],
  forbidden: string[],
): JsonObject {
  const kept: [string, unknown][] = [];
  for (const [key, value] of Object.entries(object)) {
    const here = [...path, key];
    const matching = patterns.filter((pattern) => matches(pattern[path.length], key));
    const belongs = matching.some((pattern) => pattern.length === here.length);
    const wipesOut = matching.length > 0 && !isJsonObject(value);
    if (FORBIDDEN_ANYWHERE.has(key) || belongs || wipesOut) forbidden.push(here.join("."));
    else kept.push([key, siftValue(value, here, matching, forbidden)]);
  }
  return Object.fromEntries(kept);
}

function siftValue(
  value: unknown,
  path: readonly string[],
  patterns: readonly string[][],
  forbidden: string[],
): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => siftValue(item, [...path, String(index)], [], forbidden));
  }
  return isJsonObject(value) ? siftObject(value, path, patterns, forbidden) : value;
}

function matches(segment: string | undefined, key: string): boolean {
  if (segment === undefined) return false;
  return segment.endsWith("*") ? key.startsWith(segment.slice(0, -1)) : segment === key;
}
