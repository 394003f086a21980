import { LABEL } from "#crds/index.ts";
import type { Node, Pod } from "#lib/kube/resource.ts";
import type { AuditedRequest } from "#test/harness/audit-log.ts";
import { type Checker, isDone, versionOf, what } from "./audit.ts";

/** What only one pod at a time may have: the volume it mounts, or the instance it runs. */
interface Hold {
  readonly of: string;
  readonly pod: string;
  readonly uid: string;
}

/**
 * At most one live pod per instance and per volume at any time. A pod lives from its creation until it is gone from the
 * apiserver, and one that the operator removed without waiting for its node lives on, unless the node is known to be gone.
 */
export const onePodEach: Checker = ({ requests, isOperator }) => {
  const holds = new Map<string, Hold>();
  const lostNodes = new Set<string>();
  const found: string[] = [];

  function born(request: AuditedRequest, pod: Pod): void {
    for (const of of holdsOf(pod)) {
      const other = holds.get(of);
      if (other && other.uid !== pod.metadata.uid) {
        found.push(`${what(request)}: a second live pod of ${of}, beside ${other.pod} (${other.uid})`);
      }
      holds.set(of, { of, pod: pod.metadata.name, uid: pod.metadata.uid ?? "" });
    }
  }

  function gone(request: AuditedRequest, pod: Pod): void {
    if (!isRemoved(pod)) return;
    if (isOperator(request) && mayStillRun(pod) && !lostNodes.has(pod.spec?.nodeName ?? "")) {
      found.push(`${what(request)}: removed while it may still run on ${pod.spec?.nodeName}`);
      return;
    }
    for (const of of holdsOf(pod)) if (holds.get(of)?.uid === pod.metadata.uid) holds.delete(of);
  }

  const relevant = requests.filter((request) => isDone(request) && /^(pods|nodes)$/.test(request.resource));
  for (const request of inOrder(relevant)) {
    const { verb, code, resource } = request;
    if (resource === "nodes") noteNode(request, lostNodes);
    if (verb === "delete" || verb === "deletecollection") for (const pod of podsOf(request)) gone(request, pod);
    else if (code === 201) for (const pod of podsOf(request)) born(request, pod);
  }
  return found;
};

/** Answers may be logged in another order than that in which the apiserver acted; versions are not. */
function inOrder(requests: readonly AuditedRequest[]): AuditedRequest[] {
  let last = 0;
  const versioned = requests.map((request) => {
    // Some answers carry none; they stay where they are.
    last = Math.max(versionOf(request.response), ...podsOf(request).map(versionOf)) || last;
    return { request, version: last };
  });
  return versioned.sort((a, b) => a.version - b.version).map(({ request }) => request);
}

function podsOf({ response }: AuditedRequest): Pod[] {
  const { kind, items } = (response ?? {}) as { kind?: string; items?: Pod[] };
  if (items) return items;
  return kind === "Pod" ? [response as Pod] : [];
}

/** The pod that checks a configuration has neither slot nor volume, and runs beside the one it checks for. */
const CHECK = "config-check";

function holdsOf({ metadata, spec }: Pod): string[] {
  const { namespace = "", labels = {} } = metadata;
  const instance = labels["app.kubernetes.io/component"] === CHECK ? undefined : labels[LABEL.instance];
  const volumes = (spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) => claim?.claimName ?? []);
  return [
    ...(instance === undefined ? [] : [`the instance ${namespace}/${instance}`]),
    ...volumes.map((claim) => `the volume ${namespace}/${claim}`),
  ];
}

/** The answer to a deletion that was carried out, and not one that the pod's node must first confirm. */
function isRemoved({ metadata }: Pod): boolean {
  return !metadata.deletionTimestamp || metadata.deletionGracePeriodSeconds === 0;
}

function mayStillRun({ spec, status }: Pod): boolean {
  return spec?.nodeName !== undefined && status?.phase !== "Failed" && status?.phase !== "Succeeded";
}

function noteNode(request: AuditedRequest, lostNodes: Set<string>): void {
  const taints = (request.response as Node | undefined)?.spec?.taints ?? [];
  const lost = request.verb === "delete" || taints.some(({ key }) => key === "node.kubernetes.io/out-of-service");
  if (request.name === undefined) return;
  if (lost) lostNodes.add(request.name);
  else lostNodes.delete(request.name);
}
