import type { AuditedRequest } from "#test/harness/audit-log.ts";

/** What a checker looks at. */
export interface Audit {
  /** From an audit log with the bodies of writes, in the order of the log. */
  readonly requests: readonly AuditedRequest[];
  /** True for a request of an operator under test. */
  readonly isOperator: (request: AuditedRequest) => boolean;
  /** How many operators were at work at the same time, unknown to each other; 1 by default. */
  readonly operators?: number;
  /** Answers got lost on purpose: then a write sent once more, word for word, may change nothing. */
  readonly lostAnswers?: boolean;
}

/** Looks for what must never be; answers each finding in words, nothing when all is well. */
export type Checker = (audit: Audit) => string[];

const WRITES: ReadonlySet<string> = new Set(["create", "update", "patch", "delete", "deletecollection"]);

/** True for a write that the apiserver carried out. */
export function isDone({ verb, code }: AuditedRequest): boolean {
  return WRITES.has(verb) && code >= 200 && code < 300;
}

/** The object a request was about, for people. */
export function what({ verb, resource, namespace, name, receivedAt }: AuditedRequest): string {
  return `${receivedAt} ${verb} ${resource} ${namespace ?? ""}/${name ?? ""}`;
}

/** An object's resourceVersion as a number: all objects of one apiserver share one sequence. 0 = it has none. */
export function versionOf(object: AuditedRequest["response"]): number {
  return Number(object?.metadata?.resourceVersion ?? 0);
}
