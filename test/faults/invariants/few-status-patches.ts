import { LABEL } from "#crds/index.ts";
import type { AuditedRequest } from "#test/harness/audit-log.ts";
import { type Checker, isDone } from "./audit.ts";

/** A beginning and an end: what becomes of a change takes so many patches of the status. */
const PER_OCCASION = 2;

/**
 * Patches of a status are bounded by what happened: each generation of the spec, each pod and the deletion is an occasion. A
 * status that flaps, or two writers that undo each other, breaks the bound soon.
 */
export const fewStatusPatches: Checker = ({ requests, isOperator, operators = 1 }) => {
  const patches = new Map<string, number>();
  const occasions = new Map<string, Set<string>>();

  function note(instance: string, occasion: string): void {
    occasions.set(instance, (occasions.get(instance) ?? new Set()).add(occasion));
  }

  for (const request of requests.filter(isDone)) {
    const { response, resource, namespace, name } = request;
    const key = `${namespace}/${name}`;
    const { generation, uid, deletionTimestamp, labels } = response?.metadata ?? {};
    if (response?.kind === "OpenClawInstance") {
      note(key, `${uid} ${generation}`);
      if (deletionTimestamp) note(key, `${uid} deleted`);
    }
    if (response?.kind === "Pod" && resource === "pods") note(`${namespace}/${labels?.[LABEL.instance]}`, `pod ${uid}`);
    if (isStatus(request) && isOperator(request)) patches.set(key, (patches.get(key) ?? 0) + 1);
  }
  return [...patches].flatMap(([key, count]) => {
    const bound = operators * PER_OCCASION * (1 + (occasions.get(key)?.size ?? 0));
    return count <= bound ? [] : [`${key}: ${count} patches of the status where ${bound} are enough`];
  });
};

function isStatus({ resource }: AuditedRequest): boolean {
  return resource === "openclawinstances/status";
}
