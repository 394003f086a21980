import { INSTANCE_KEYS, OPERATOR_KEYS } from "./config-keys.ts";

/** A JSON object as it comes out of a custom resource. */
export type JsonObject = { readonly [key: string]: unknown };

/** Whose configuration it is: the platform team's, or that of somebody who owns an instance. */
export type ConfigAuthor = "class" | "instance";

/** Refused wherever they stand: an include reads what the agent can write, the others are traps of JavaScript objects. */
const FORBIDDEN_ANYWHERE: ReadonlySet<string> = new Set(["$include", "__proto__", "constructor", "prototype"]);

/** What OpenClaw replaces by a variable of the process, where the slot's credentials are. */
const ENV_REFERENCE = /\$\{[A-Za-z_]/;

/** What of a configuration may be merged, and the paths (`gateway.auth`) of what may not. */
export interface Sifted {
  readonly allowed: JsonObject;
  readonly forbidden: readonly string[];
}

/** Which keys pass: all but those of `patterns` and what wipes them out, or only those. */
interface Rule {
  readonly patterns: readonly (readonly string[])[];
  readonly kind: "refuse" | "allow";
  readonly mayReferToEnvironment: boolean;
}

const RULES: Readonly<Record<ConfigAuthor, Rule>> = {
  class: { patterns: OPERATOR_KEYS, kind: "refuse", mayReferToEnvironment: true },
  instance: { patterns: INSTANCE_KEYS, kind: "allow", mayReferToEnvironment: false },
};

/**
 * Parts the keys of an OpenClaw configuration that its author may set from the rest. Overwriting a parent of a key with something
 * that is no object counts as touching the key.
 */
export function siftConfig(config: JsonObject, author: ConfigAuthor): Sifted {
  const forbidden: string[] = [];
  const allowed = siftObject(config, [], RULES[author], forbidden);
  return { allowed, forbidden: forbidden.sort() };
}

/** True for `{...}`: not null, not a list. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function siftObject(object: JsonObject, path: readonly string[], rule: Rule, forbidden: string[]): JsonObject {
  const kept: [string, unknown][] = [];
  for (const [key, value] of Object.entries(object)) {
    const here = [...path, key];
    const below = isTrap(key, value, rule) ? undefined : ruleBelow(rule, path.length, key, value);
    if (below) kept.push([key, siftValue(value, here, below, forbidden)]);
    else forbidden.push(here.join("."));
  }
  return Object.fromEntries(kept);
}

function isTrap(key: string, value: unknown, { mayReferToEnvironment }: Rule): boolean {
  return FORBIDDEN_ANYWHERE.has(key) || (!mayReferToEnvironment && refersToEnvironment(value));
}

function refersToEnvironment(value: unknown): boolean {
  return typeof value === "string"
    ? ENV_REFERENCE.test(value)
    : Array.isArray(value) && value.some(refersToEnvironment);
}

/** The rule for what is below a key, undefined when the key is refused. */
function ruleBelow(rule: Rule, depth: number, key: string, value: unknown): Rule | undefined {
  const patterns = rule.patterns.filter((pattern) => matches(pattern[depth], key));
  const isNamed = patterns.some((pattern) => pattern.length === depth + 1);
  const leadsOn = patterns.length > 0 && isJsonObject(value);
  if (rule.kind === "refuse") return isNamed || (patterns.length > 0 && !leadsOn) ? undefined : { ...rule, patterns };
  if (isNamed) return { ...rule, kind: "refuse", patterns: [] };
  return leadsOn ? { ...rule, patterns } : undefined;
}

function siftValue(value: unknown, path: readonly string[], rule: Rule, forbidden: string[]): unknown {
  if (Array.isArray(value)) {
    const ofItems = { ...rule, patterns: [] };
    return value.map((item: unknown, index) => siftValue(item, [...path, String(index)], ofItems, forbidden));
  }
  return isJsonObject(value) ? siftObject(value, path, rule, forbidden) : value;
}

function matches(segment: string | undefined, key: string): boolean {
  if (segment === undefined) return false;
  return segment.endsWith("*") ? key.startsWith(segment.slice(0, -1)) : segment === key;
}
