import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

/** Requests by `verb resource`, e.g. `{"patch pods": 2}`. */
export type RequestCounts = Readonly<Record<string, number>>;

/** What one client asked of the apiserver. */
export interface Asked {
  readonly requests: RequestCounts;
  /** Answers 409. */
  readonly conflicts: number;
  /** Answers 400 and above that are no 409. */
  readonly refused: number;
}

interface AuditEvent {
  stage: string;
  verb: string;
  userAgent?: string;
  objectRef?: { resource?: string; subresource?: string };
  responseStatus?: { code?: number };
}

/** Verbs that change something. */
const WRITES = new Set(["create", "update", "patch", "delete", "deletecollection"]);

/** Counts the requests of the client whose User-Agent begins with `userAgent`; a watch counts when it begins. */
export function countAsked(lines: Iterable<string>, userAgent: string): Asked {
  const requests: Record<string, number> = {};
  let [conflicts, refused] = [0, 0];
  for (const line of lines) {
    // Most lines are others': spare them the parser.
    if (!line.includes(userAgent)) continue;
    const { stage, verb, userAgent: agent = "", objectRef, responseStatus } = JSON.parse(line) as AuditEvent;
    if (!agent.startsWith(userAgent) || stage !== (verb === "watch" ? "ResponseStarted" : "ResponseComplete")) continue;
    const what = `${verb} ${[objectRef?.resource ?? "?", objectRef?.subresource].filter(Boolean).join("/")}`;
    requests[what] = (requests[what] ?? 0) + 1;
    const code = responseStatus?.code ?? 0;
    if (code === 409) conflicts += 1;
    else if (code >= 400) refused += 1;
  }
  return { requests, conflicts, refused };
}

/** How many of the requests satisfy `of`. */
export function sumRequests(requests: RequestCounts, of: (verb: string, resource: string) => boolean): number {
  return Object.entries(requests).reduce((sum, [what, count]) => {
    const [verb = "", resource = ""] = what.split(" ");
    return of(verb, resource) ? sum + count : sum;
  }, 0);
}

/** Writes, the renewals of leases aside. */
export function countWrites(requests: RequestCounts): number {
  return sumRequests(requests, (verb, resource) => WRITES.has(verb) && resource !== "leases");
}

/** Reads, the renewals of leases and watches aside. */
export function countReads(requests: RequestCounts): number {
  return sumRequests(requests, (verb, resource) => !WRITES.has(verb) && verb !== "watch" && resource !== "leases");
}

/** An audit log that grows, read piece by piece. */
export interface AuditTail {
  /** What the client asked since the last call (since the tail was made, for the first). */
  take(userAgent: string): Promise<Asked>;
}

/** A tail of the audit log at `path`, beginning at its end. */
export async function tailAudit(path: string): Promise<AuditTail> {
  let { size: from } = await stat(path);
  return {
    async take(userAgent) {
      const { size } = await stat(path);
      const lines: string[] = [];
      let rest = "";
      if (size > from) {
        for await (const chunk of createReadStream(path, { start: from, end: size - 1, encoding: "utf8" })) {
          const parts = (rest + String(chunk)).split("\n");
          // The last line may still be being written.
          rest = parts.pop() ?? "";
          lines.push(...parts.filter((line) => line.includes(userAgent)));
        }
      }
      from = size - Buffer.byteLength(rest);
      return countAsked(lines, userAgent);
    },
  };
}
