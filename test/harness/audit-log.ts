import { readFile } from "node:fs/promises";

/** One request to the apiserver, as its audit log has it. */
export interface AuditedRequest {
  /** `create`, `patch`, `delete`, `get`, `list`, `watch`, ... */
  readonly verb: string;
  /** Plural, with `/status` and the like. */
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** HTTP status of the answer. */
  readonly code: number;
  readonly user: string;
  readonly userAgent: string;
  /** When it came in; RFC 3339 with microseconds. */
  readonly receivedAt: string;
}

interface AuditEvent {
  stage: string;
  verb: string;
  user?: { username?: string };
  userAgent?: string;
  objectRef?: { resource?: string; subresource?: string; namespace?: string; name?: string };
  responseStatus?: { code?: number };
  requestReceivedTimestamp: string;
}

/** The requests in an audit log that were answered, in order. */
export async function readAuditLog(path: string): Promise<AuditedRequest[]> {
  const lines = (await readFile(path, "utf8")).split("\n");
  // The last line may still be being written.
  lines.pop();
  return lines
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ stage }) => stage === "ResponseComplete")
    .map(({ verb, user, userAgent, objectRef, responseStatus, requestReceivedTimestamp }) => ({
      verb,
      resource: [objectRef?.resource ?? "", objectRef?.subresource].filter(Boolean).join("/"),
      namespace: objectRef?.namespace,
      name: objectRef?.name,
      code: responseStatus?.code ?? 0,
      user: user?.username ?? "",
      userAgent: userAgent ?? "",
      receivedAt: requestReceivedTimestamp,
    }));
}

/** How often each `verb resource` was asked, e.g. `{"patch pods": 2}`. */
export function countRequests(requests: readonly AuditedRequest[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { verb, resource } of requests) {
    const what = `${verb} ${resource}`;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}
