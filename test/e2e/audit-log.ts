import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

/** The fields of an audit event that tests look at. */
export interface AuditEntry {
  verb: string;
  requestURI: string;
  user: { username: string };
  objectRef?: { resource?: string; namespace?: string; name?: string };
  requestReceivedTimestamp: string;
  responseStatus?: { code?: number };
}

/** Requests that the apiserver received in a span of time, each once. */
export async function readAudit(path: string, from: Date, to: Date): Promise<AuditEntry[]> {
  const entries = new Map<string, AuditEntry>();
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const entry = JSON.parse(line) as AuditEntry & { auditID: string };
    const at = Date.parse(entry.requestReceivedTimestamp);
    if (at >= from.getTime() && at <= to.getTime()) entries.set(entry.auditID, entry);
  }
  return [...entries.values()];
}
