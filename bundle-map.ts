/** The part of a source map (version 3) that is of interest here. */
interface SourceMap {
  sources: string[];
  mappings: string;
  [other: string]: unknown;
}

/** One segment: column in the bundle, then source, line and column there; the latter three are absent where nothing is mapped. */
type Segment = readonly [column: number, source?: number, line?: number, sourceColumn?: number];

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const VALUE = new Map(DIGITS.split("").map((digit, value) => [digit, value]));

/**
 * Reduces a bundle's source map to the lines of our own sources: one segment a line, no names, no contents. A process that
 * maps its stack traces keeps the whole map in memory from the first one on; for an operator that was 50 MB, mostly columns
 * of packages.
 */
export function thinSourceMap(text: string): string {
  const map = JSON.parse(text) as SourceMap;
  const isOurs = map.sources.map((source) => !source.includes("node_modules/"));
  const encode = createEncoder();
  let mapped = false;
  const lines = decode(map.mappings).map((segments) => {
    const ours = segments.find(([, source]) => source !== undefined && isOurs[source]);
    // A line without a segment counts as one with the line before: packages must not pass for the last line of ours.
    const kept: Segment | undefined = ours ?? (mapped ? [0] : undefined);
    mapped = ours !== undefined;
    return kept ? encode([0, ...kept.slice(1)] as unknown as Segment) : "";
  });
  const { sourcesContent: _contents, names: _names, ...rest } = map;
  return JSON.stringify({ ...rest, names: [], mappings: lines.join(";") });
}

/** Segments of each line of the bundle, with absolute positions. */
function decode(mappings: string): Segment[][] {
  let [source, line, sourceColumn] = [0, 0, 0];
  return mappings.split(";").map((text) => {
    let column = 0;
    return text
      .split(",")
      .filter((part) => part !== "")
      .map((part): Segment => {
        const [c = 0, ...place] = numbers(part);
        column += c;
        if (place.length === 0) return [column];
        source += place[0] ?? 0;
        line += place[1] ?? 0;
        sourceColumn += place[2] ?? 0;
        return [column, source, line, sourceColumn];
      });
  });
}

/** Writes segments, the only one of its line each, relative to those before. */
function createEncoder(): (segment: Segment) => string {
  let before = [0, 0, 0];
  return ([column, ...place]) => {
    if (place.length === 0) return digits(column);
    const now = place.map((value) => value ?? 0);
    const text = [column, ...now.map((value, index) => value - (before[index] ?? 0))].map(digits).join("");
    before = now;
    return text;
  };
}

/** Base64 VLQ: five bits a digit, the lowest first, of which the first holds the sign; the sixth says that more follow. */
function numbers(text: string): number[] {
  const values: number[] = [];
  let [value, shift] = [0, 0];
  for (const digit of text) {
    const bits = VALUE.get(digit) ?? 0;
    value += (bits & 31) << shift;
    shift += 5;
    if (bits & 32) continue;
    values.push(value & 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return values;
}

function digits(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1;
  let text = "";
  do {
    text += DIGITS[(rest & 31) | (rest > 31 ? 32 : 0)];
    rest >>= 5;
  } while (rest > 0);
  return text;
}
