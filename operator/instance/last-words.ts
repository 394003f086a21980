import type { Pod } from "#lib/kube/resource.ts";
import { endOf } from "#lib/shorten.ts";

type ContainerStatus = NonNullable<NonNullable<Pod["status"]>["containerStatuses"]>[number];

/** How a container ended. */
export type Terminated = NonNullable<NonNullable<ContainerStatus["state"]>["terminated"]>;

/** How much of a log is a reason and not a story. */
const WORDS_MAX = 1000;

/** How much of a container's log the kubelet keeps (bytes): the first line of that much is seldom whole. */
const KEPT_BYTES = 2048;

/** The end of what a container said: plain lines, and of its JSON log lines the messages of those that tell of trouble. */
export function lastWords(terminated: Terminated): string {
  const said = terminated.message ?? "";
  const lines = said.split("\n");
  if (Buffer.byteLength(said) >= KEPT_BYTES) lines.shift();
  const words = lines
    .map(wordsOf)
    .filter((line) => line !== "")
    .slice(-5)
    .join(" | ");
  return words === ""
    ? `it said nothing (${terminated.reason ?? `exit ${terminated.exitCode}`}).`
    : endOf(words, WORDS_MAX);
}

/** Conversations are logged below `warn`, and a status is read by more people than a log. */
function wordsOf(line: string): string {
  const text = line.trim();
  if (!text.startsWith("{") && !text.endsWith("}")) return text;
  try {
    const { level, message } = JSON.parse(text) as { level?: unknown; message?: unknown };
    return typeof message === "string" && TROUBLE.has(String(level).toLowerCase()) ? message.trim() : "";
  } catch {
    // Part of a JSON line: what it told of cannot be known.
    return "";
  }
}

const TROUBLE: ReadonlySet<string> = new Set(["warn", "warning", "error", "fatal"]);
