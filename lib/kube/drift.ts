import { isRecord } from "./canonical-json.ts";
import { readQuantity } from "./quantity.ts";

/** Fields by which Kubernetes tells the elements of a list apart, the most telling first. */
const LIST_KEYS = ["uid", "mountPath", "devicePath", "name"] as const;
/** Maps whose values are quantities, which the server writes in its own way (`1024Mi` comes back as `1Gi`). */
const QUANTITY_MAPS = new Set(["requests", "limits", "capacity", "hard", "overhead"]);
const QUANTITY_FIELDS = new Set(["sizeLimit", "divisor"]);

/**
 * The path of the first field of `applied` that `live` does not hold as it was applied; undefined when all are there. Fields
 * that only `live` has are the server's defaults or other managers', and none of our business; nor are further elements of a
 * list whose elements have names. Any other list must be equal, or somebody could add to it unseen (a rule of a
 * NetworkPolicy, say). What selects pods or opens a network must be equal in all: one more key selects other pods.
 */
export function findDrift(applied: unknown, live: unknown): string | undefined {
  return drift(applied, live, "", false) ?? exactDrift(applied, live);
}

/** Fields of `spec`, by kind, in which the server and other managers have no say. */
const EXACT: Readonly<Record<string, readonly string[]>> = {
  NetworkPolicy: ["podSelector", "ingress", "egress"],
  Service: ["selector"],
};

function exactDrift(applied: unknown, live: unknown): string | undefined {
  if (!isRecord(applied) || !isRecord(applied.spec) || !isRecord(live) || !isRecord(live.spec)) return undefined;
  for (const field of EXACT[String(applied.kind)] ?? []) {
    if (applied.spec[field] === undefined) continue;
    const found = surplus(applied.spec[field], live.spec[field], `.spec.${field}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The path of the first key that only `live` has. Not even an empty one is let pass: an empty selector selects all. */
function surplus(applied: unknown, live: unknown, path: string): string | undefined {
  if (!isRecord(live) && !Array.isArray(live)) return undefined;
  for (const [key, value] of Object.entries(live)) {
    const here = Array.isArray(live) ? `${path}[${key}]` : `${path}.${key}`;
    const counterpart = (applied as Record<string, unknown> | undefined)?.[key];
    // The one default in there.
    if (counterpart === undefined && key === "protocol" && value === "TCP") continue;
    const found = counterpart === undefined ? here : surplus(counterpart, value, here);
    if (found !== undefined) return found;
  }
  return undefined;
}

function drift(applied: unknown, live: unknown, path: string, quantity: boolean): string | undefined {
  // Go leaves empty values out of what it writes.
  if (live === undefined || live === null) return isEmpty(applied) ? undefined : path;
  if (Array.isArray(applied)) return Array.isArray(live) ? listDrift(applied, live, path) : path;
  if (isRecord(applied)) return isRecord(live) ? recordDrift(applied, live, path) : path;
  if (applied === null || applied === undefined || applied === live) return undefined;
  return quantity && readQuantity(applied) !== undefined && readQuantity(applied) === readQuantity(live)
    ? undefined
    : path;
}

function recordDrift(
  applied: Record<string, unknown>,
  live: Record<string, unknown>,
  path: string,
): string | undefined {
  const inQuantities = QUANTITY_MAPS.has(path.slice(path.lastIndexOf(".") + 1));
  for (const [key, value] of Object.entries(applied)) {
    const found = drift(value, live[key], `${path}.${key}`, inQuantities || QUANTITY_FIELDS.has(key));
    if (found !== undefined) return found;
  }
  return undefined;
}

function listDrift(applied: unknown[], live: unknown[], path: string): string | undefined {
  const key = LIST_KEYS.find((name) => isUniqueIn(applied, name) && isUniqueIn(live, name));
  if (key === undefined || applied.length === 0) {
    if (applied.length !== live.length) return path;
    return firstDrift(applied, (_element, index) => live[index], path);
  }
  const byKey = new Map(live.map((element) => [(element as Record<string, unknown>)[key], element]));
  return firstDrift(applied, (element) => byKey.get((element as Record<string, unknown>)[key]), path);
}

function firstDrift(
  applied: unknown[],
  counterpart: (element: unknown, index: number) => unknown,
  path: string,
): string | undefined {
  for (const [index, element] of applied.entries()) {
    const found = drift(element, counterpart(element, index), `${path}[${index}]`, false);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isUniqueIn(list: unknown[], key: string): boolean {
  const values = list.map((element) => (isRecord(element) ? element[key] : undefined));
  return values.every((value) => value !== undefined) && new Set(values).size === values.length;
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isRecord(value)) return Object.values(value).every(isEmpty);
  return !value;
}
