import { createReadStream } from "node:fs";
import { text } from "node:stream/consumers";
import type { KubeObject } from "#lib/kube/types.ts";

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
  /** When it came in and when it was answered; RFC 3339 with microseconds, so their order is that of the texts. */
  readonly receivedAt: string;
  readonly answeredAt: string;
  /** What a write sent, and what it was answered: an object, a list, or a Status. Only in a log with bodies. */
  readonly request: Partial<KubeObject> | undefined;
  readonly response: Partial<KubeObject> | undefined;
}

interface AuditEvent {
  stage: string;
  verb: string;
  user?: { username?: string };
  userAgent?: string;
  objectRef?: { resource?: string; subresource?: string; namespace?: string; name?: string };
  responseStatus?: { code?: number };
  requestReceivedTimestamp: string;
  stageTimestamp: string;
  requestObject?: Partial<KubeObject>;
  responseObject?: Partial<KubeObject>;
}

/** The requests in an audit log that were answered, in order; `from` is where in the file to begin (a line's first byte). */
export async function readAuditLog(path: string, from = 0): Promise<AuditedRequest[]> {
  const lines = (await text(createReadStream(path, { start: from }))).split("\n");
  // The last line may still be being written.
  lines.pop();
  return lines
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ stage }) => stage === "ResponseComplete")
    .map(requestOf);
}

function requestOf(event: AuditEvent): AuditedRequest {
  const { objectRef } = event;
  return {
    verb: event.verb,
    resource: [objectRef?.resource ?? "", objectRef?.subresource].filter(Boolean).join("/"),
    namespace: objectRef?.namespace,
    name: objectRef?.name ?? event.responseObject?.metadata?.name,
    code: event.responseStatus?.code ?? 0,
    user: event.user?.username ?? "",
    userAgent: event.userAgent ?? "",
    receivedAt: event.requestReceivedTimestamp,
    answeredAt: event.stageTimestamp,
    request: event.requestObject,
    response: event.responseObject,
  };
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
