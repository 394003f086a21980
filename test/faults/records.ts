import { stat } from "node:fs/promises";
import { inject } from "vitest";
import { OPERATOR_AGENT } from "#operator/operator.fixture.ts";
import { type AuditedRequest, readAuditLog } from "#test/harness/audit-log.ts";
import type { Audit } from "./invariants/audit.ts";

/** What the apiserver was asked from some moment on. */
export interface Records {
  /** All requests; for the checkers, to which those of any namespace may matter. */
  audit(o?: Pick<Audit, "lostAnswers" | "operators">): Promise<Audit>;
}

/** Begins to record. */
export async function startRecords(): Promise<Records> {
  const path = inject("auditLog");
  const { size } = await stat(path);
  return {
    audit: async (o = {}) => ({ requests: await readAuditLog(path, size), isOperator, ...o }),
  };
}

function isOperator({ userAgent }: AuditedRequest): boolean {
  return userAgent.startsWith(OPERATOR_AGENT);
}
