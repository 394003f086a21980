const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);

/**
 * The JSON text of an object without `metadata.managedFields`, which nobody reads, and which are half of what there is to
 * parse. `path` leads to the object, of a watch's event say. A text that is not as the apiserver writes JSON, without spaces,
 * comes back as it is: the parser is to judge it.
 */
export function cutManagedFields(text: string, path: readonly string[] = []): string {
  let at = 0;
  for (const name of [...path, "metadata"]) {
    const member = findMember(text, at, name);
    if (!member) return text;
    at = member.value;
  }
  const member = findMember(text, at, "managedFields");
  if (!member) return text;
  const end = endOfValue(text, member.value);
  if (end === undefined) return text;
  const isFirst = text.charCodeAt(member.key - 1) !== COMMA;
  return text.slice(0, isFirst ? member.key : member.key - 1) + text.slice(isFirst ? afterComma(text, end) : end);
}

/** Where key and value of the member of this name begin, in the object that begins at `open`. */
function findMember(text: string, open: number, name: string): { key: number; value: number } | undefined {
  let key = open + 1;
  while (text.charCodeAt(key) === QUOTE) {
    const keyEnd = endOfString(text, key);
    if (keyEnd === undefined || text.charCodeAt(keyEnd) !== COLON) return undefined;
    const value = keyEnd + 1;
    if (keyEnd - key - 2 === name.length && text.startsWith(name, key + 1)) return { key, value };
    const end = endOfValue(text, value);
    if (end === undefined || text.charCodeAt(end) !== COMMA) return undefined;
    key = end + 1;
  }
  return undefined;
}

/** Behind the last character of the value that begins at `at`; undefined if it does not end. */
function endOfValue(text: string, at: number): number | undefined {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      const end = endOfString(text, i);
      if (end === undefined) return undefined;
      i = end - 1;
    } else if (OPENING.has(code)) depth += 1;
    else if (CLOSING.has(code)) {
      if (depth === 0) return i;
      depth -= 1;
    } else if (code === COMMA && depth === 0) return i;
    if (depth === 0 && (code === QUOTE || CLOSING.has(code))) return i + 1;
  }
  return undefined;
}

function endOfString(text: string, at: number): number | undefined {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end + 1;
  }
  return undefined;
}

function afterComma(text: string, at: number): number {
  return text.charCodeAt(at) === COMMA ? at + 1 : at;
}
