import { expect, it } from "vitest";
import { LABEL } from "#crds/index.ts";
import type { Change, Informer } from "#lib/kube/informer.ts";
import type { WorkQueue } from "#lib/kube/queue.ts";
import type { Node } from "#lib/kube/resource.ts";
import type { Caches } from "../cache/caches.ts";
import { trimNode } from "../cache/trim.ts";
import { triggerInstances } from "./triggers.ts";

const TAINT = { key: "node.kubernetes.io/out-of-service", effect: "NoExecute" };
const SINCE = "2026-11-23T10:00:00Z";

function node(status: string, heartbeat: string, taints: (typeof TAINT)[] = []): Node {
  const ready = { type: "Ready", status, lastTransitionTime: SINCE, lastHeartbeatTime: heartbeat };
  return trimNode({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "n1", uid: "u", resourceVersion: heartbeat },
    spec: { taints },
    status: { conditions: [ready] },
  });
}

/** The keys that a change of the node of alice's pod wakes. */
function wokenBy(change: Change<Node>): string[] {
  const handlers: ((change: Change<Node>) => void)[] = [];
  const pod = { metadata: { namespace: "tenants", name: "openclaw-alice", labels: { [LABEL.instance]: "alice" } } };
  const quiet = { onChange: () => () => undefined, byIndex: () => [pod] } as unknown as Informer;
  const nodes = { ...quiet, onChange: (handler: (change: Change<Node>) => void) => handlers.push(handler) };
  const names = ["instances", "classes", "secrets", "configMaps", "claims", "services", "policies", "pods"];
  const caches = { ...Object.fromEntries(names.map((name) => [name, quiet])), nodes } as unknown as Caches;
  const woken: string[] = [];
  triggerInstances(caches, { add: (key: string) => woken.push(key) } as unknown as WorkQueue);
  for (const handle of handlers) handle(change);
  return woken;
}

const well = node("True", "1");

it.each<[string, Change<Node>, string[]]>([
  ["a heartbeat", { key: "n1", type: "updated", object: node("True", "2"), previous: well }, []],
  ["its silence", { key: "n1", type: "updated", object: node("Unknown", "2"), previous: well }, ["tenants/alice"]],
  [
    "a person's word",
    { key: "n1", type: "updated", object: node("Unknown", "3", [TAINT]), previous: node("Unknown", "2") },
    ["tenants/alice"],
  ],
  ["its return", { key: "n1", type: "updated", object: well, previous: node("Unknown", "2") }, ["tenants/alice"]],
  ["its end", { key: "n1", type: "deleted", object: well }, ["tenants/alice"]],
])("of a node, %s wakes whom it concerns", (_, change, keys) => {
  expect(wokenBy(change)).toEqual(keys);
});
