/** JSON with sorted keys and without undefined fields: equal text for equal content. For what came from JSON. */
export function canonicalJson(value: unknown): string {
  // Sorted first: with a replacer JSON.stringify takes twice the time, and every plan needs this for each child.
  return JSON.stringify(sortKeys(value)) ?? "null";
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isRecord(value)) return value;
  const sorted: Record<string, unknown> = {};
  for (const key of Object.keys(value).sort()) {
    const part = sortKeys(value[key]);
    // Assigned, it would become the prototype and be missing from the text.
    if (key === "__proto__") Object.defineProperty(sorted, key, { value: part, enumerable: true });
    else sorted[key] = part;
  }
  return sorted;
}

/** A JSON object: neither a list nor null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
