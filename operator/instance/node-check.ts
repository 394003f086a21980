import type { KubeClient } from "#lib/kube/client.ts";
import { NODES, type Pod } from "#lib/kube/resource.ts";
import type { KubeObject } from "#lib/kube/types.ts";
import { ailmentOf } from "../cache/nodes.ts";

/**
 * Asks the apiserver itself whether the node of a pod is gone or out of service. Caches of nodes and of pods are not of one
 * moment, and a pod that is removed by force while it runs would share its volume with the next.
 * @throws KubeError when the apiserver cannot say.
 */
export async function isNodeGone(client: KubeClient, pod: KubeObject, signal: AbortSignal): Promise<boolean> {
  const name = (pod as Pod).spec?.nodeName;
  if (name === undefined) return false;
  const node = await client.get(NODES, { name }, { signal });
  return node === undefined || ailmentOf(node)?.kind === "OutOfService";
}
