import { isRecord } from "./canonical-json.ts";
import { parseQuantity } from "./quantity.ts";

/** Fields by which Kubernetes tells the elements of a list apart, the most telling first. */
const LIST_KEYS = ["uid", "mountPath", "devicePath", "name"] as const;
/** Maps whose values are quantities, which the server writes in its own way (`1024Mi` comes back as `1Gi`). */
const QUANTITY_MAPS = new Set(["requests", "limits", "capacity", "hard", "overhead"]);
const QUANTITY_FIELDS = new Set(["sizeLimit", "divisor"]);

/**
 * The path of the first field of `applied` that `live` does not hold as it was applied; undefined when all are there. Fields
 * that only `live` has are the server's defaults or other managers', and none of our business; nor are further elements of a
 * list whose elements have names. Any other list must be equal, or somebody could add to it unseen (a rule of a
 * NetworkPolicy, say).
 */
export function findDrift(applied: unknown, live: unknown): string | undefined {
  return drift(applied, live, "", false);
}

function drift(applied: unknown, live: unknown, path: string, quantity: boolean): string | undefined {
  // Go leaves empty values out of what it writes.
  if (live === undefined || live === null) return isEmpty(applied) ? undefined : path;
  if (Array.isArray(applied)) return Array.isArray(live) ? listDrift(applied, live, path) : path;
  if (isRecord(applied)) return isRecord(live) ? recordDrift(applied, live, path) : path;
  if (applied === null || applied === undefined || applied === live) return undefined;
  return quantity && parseQuantity(applied) !== undefined && parseQuantity(applied) === parseQuantity(live)
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
