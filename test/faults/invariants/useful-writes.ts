import type { AuditedRequest } from "#test/harness/audit-log.ts";
import { type Audit, type Checker, isDone, versionOf, what } from "./audit.ts";

/**
 * No write without a change. A write that changed something is answered with a version newer than any that was given out
 * before it came in; one that changed nothing, with the version that was there.
 */
export const usefulWrites: Checker = (audit) => {
  const done = audit.requests.filter(isDone);
  const answers = done
    .map(({ answeredAt, response }) => ({ answeredAt, version: versionOf(response) }))
    .sort((a, b) => (a.answeredAt < b.answeredAt ? -1 : 1));
  const ours = done
    .filter((request) => audit.isOperator(request) && changes(request))
    .sort((a, b) => (a.receivedAt < b.receivedAt ? -1 : 1));
  const found: string[] = [];
  let next = 0;
  let newest = 0;
  for (const request of ours) {
    for (let answer = answers[next]; answer && answer.answeredAt < request.receivedAt; answer = answers[++next]) {
      newest = Math.max(newest, answer.version);
    }
    const version = versionOf(request.response);
    if (version === 0 || version > newest) continue;
    if (audit.lostAnswers && isRepeat(request, audit)) continue;
    found.push(`${what(request)}: a write without a change, answered with the version ${version}`);
  }
  return found;
};

function changes({ verb, code }: AuditedRequest): boolean {
  return (verb === "update" || verb === "patch") && code !== 201;
}

function isRepeat(request: AuditedRequest, { requests }: Audit): boolean {
  const sent = JSON.stringify(request.request);
  return requests.some(
    (other) =>
      other !== request &&
      other.receivedAt < request.receivedAt &&
      other.resource === request.resource &&
      other.namespace === request.namespace &&
      other.name === request.name &&
      JSON.stringify(other.request) === sent,
  );
}
