import { LABEL, type OpenClawClass, type OpenClawInstance } from "#crds/index.ts";
import type { AuditedRequest } from "#test/harness/audit-log.ts";
import { type Checker, isDone, what } from "./audit.ts";

const COLLECTOR = "system:serviceaccount:kube-system:generic-garbage-collector";

/**
 * No volume claim is deleted without the policy that says so. The operator never deletes one itself; the garbage collector
 * only after an instance whose policy is `Delete`. What people and the end of a namespace delete is their own affair.
 */
export const keptVolumes: Checker = ({ requests, isOperator }) => {
  const instances = new Map<string, OpenClawInstance>();
  const classes = new Map<string, OpenClawClass>();
  const found: string[] = [];

  function policyOf(claim: AuditedRequest): string | undefined {
    const name = claim.response?.metadata?.labels?.[LABEL.instance] ?? claim.name?.replace(/^openclaw-/, "");
    const instance = instances.get(`${claim.namespace}/${name}`);
    const { deletionPolicy } = instance?.spec ?? {};
    return deletionPolicy ?? classes.get(instance?.spec.className ?? "")?.spec.deletionPolicy;
  }

  for (const request of requests.filter(isDone)) {
    const { kind } = request.response ?? {};
    const { namespace, name, verb } = request;
    if (kind === "OpenClawInstance") instances.set(`${namespace}/${name}`, request.response as OpenClawInstance);
    if (kind === "OpenClawClass") classes.set(name ?? "", request.response as OpenClawClass);
    if (request.resource !== "persistentvolumeclaims" || !verb.startsWith("delete")) continue;
    if (isOperator(request)) found.push(`${what(request)}: the operator deletes a volume`);
    const policy = policyOf(request);
    if (request.user === COLLECTOR && policy !== "Delete") {
      found.push(`${what(request)}: a volume is collected under the policy ${policy ?? "of nobody"}`);
    }
  }
  return found;
};
