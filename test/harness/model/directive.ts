/** What the simulated provider is told to do, by words in the person's last message. */
export type Directive =
  | { kind: "echo" }
  /** `SLOW:<chunks>:<ms>`: that many words with that many milliseconds between them. */
  | { kind: "slow"; chunks: number; intervalMs: number }
  /** `STATUS:<code>`: that HTTP status with an OpenAI error. */
  | { kind: "status"; code: number }
  /** `DROP`: two words, then the connection is cut. */
  | { kind: "drop" }
  /** `HANG`: headers and then silence. `HANGHEAD`: not even headers. */
  | { kind: "hang"; sendsHeaders: boolean }
  /** `LEN`: a reply that ends because it is too long. */
  | { kind: "length" }
  /** `TOOL:<name>:<json>`: one tool call. */
  | { kind: "tool"; name: string; args: string }
  /** `BIG:<bytes>`: a reply of exactly that many bytes. */
  | { kind: "big"; bytes: number };

const PARSERS: readonly [RegExp, (match: RegExpExecArray) => Directive][] = [
  [/\bSLOW:(\d+):(\d+)/g, (m) => ({ kind: "slow", chunks: Number(m[1]), intervalMs: Number(m[2]) })],
  [/\bSTATUS:([45]\d\d)\b/g, (m) => ({ kind: "status", code: Number(m[1]) })],
  [/\bDROP\b/g, () => ({ kind: "drop" })],
  [/\bHANG\b/g, () => ({ kind: "hang", sendsHeaders: true })],
  [/\bHANGHEAD\b/g, () => ({ kind: "hang", sendsHeaders: false })],
  [/\bLEN\b/g, () => ({ kind: "length" })],
  [/\bTOOL:([A-Za-z0-9_.-]+):(\{.*\})/gs, (m) => ({ kind: "tool", name: m[1] ?? "", args: m[2] ?? "{}" })],
  [/\bBIG:(\d+)/g, (m) => ({ kind: "big", bytes: Number(m[1]) })],
];

/**
 * The directive in a message, `echo` when there is none. The last one counts: OpenClaw puts a text that was never
 * answered in front of the next one.
 */
export function parseDirective(text: string): Directive {
  let found: { index: number; directive: Directive } | undefined;
  for (const [pattern, read] of PARSERS) {
    for (const match of text.matchAll(pattern)) {
      if (!found || match.index > found.index) found = { index: match.index, directive: read(match) };
    }
  }
  return found?.directive ?? { kind: "echo" };
}
