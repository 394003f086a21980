import { isUtf8 } from "node:buffer";

/** Deepest nesting of a body. Nothing sensible comes near it, and walking a deeper one could exhaust the stack. */
const MAX_DEPTH = 200;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Parses the JSON of a caller.
 * @throws RangeError when it is nested deeper than 200; SyntaxError when it is no JSON in UTF-8. Neither holds a piece of the text.
 */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new SyntaxError("not UTF-8");
  if (isTooDeep(bytes)) throw new RangeError(`nested deeper than ${MAX_DEPTH}`);
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    // The parser's message repeats a piece of the text, which is nobody's business in a log.
    throw new SyntaxError("not valid JSON");
  }
}

/** Looks before anything is built: the parser would make an object of every bracket first. */
function isTooDeep(bytes: Buffer): boolean {
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) at = endOfString(bytes, at);
    else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > MAX_DEPTH) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
  }
  return false;
}

/** Where the string that begins at `start` ends; past the text's end when it doesn't. */
function endOfString(bytes: Buffer, start: number): number {
  for (let quote = bytes.indexOf(QUOTE, start + 1); quote !== -1; quote = bytes.indexOf(QUOTE, quote + 1)) {
    let escapes = 0;
    while (bytes[quote - 1 - escapes] === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return quote;
  }
  return bytes.length;
}
