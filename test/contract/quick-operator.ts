import type { ApiOnCluster } from "#api/testing/api-on-cluster.ts";
import { runtimeAt } from "#api/testing/api-on-cluster.ts";
import { INSTANCES, type InstanceStatus, type OpenClawInstance, PHASE } from "#crds/index.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { isNotFound } from "#lib/kube/errors.ts";

/** Plays the operator without pods: what is asked for is there at once, at one gateway for all. The result stops it. */
export function startQuickOperator(client: KubeClient, api: Pick<ApiOnCluster, "informer" | "config">, origin: string) {
  const writes = new Set<Promise<void>>();
  const settle = (instance: OpenClawInstance): void => {
    const { generation, deletionTimestamp } = instance.metadata;
    if (deletionTimestamp || instance.status?.observedGeneration === generation) return;
    const write = carryOut(instance).finally(() => writes.delete(write));
    writes.add(write);
  };

  async function carryOut({ metadata, spec }: OpenClawInstance): Promise<void> {
    const { name, namespace = "", generation } = metadata;
    const isStopped = spec.runPolicy === "Stopped";
    const status: InstanceStatus = {
      observedGeneration: generation,
      phase: isStopped ? PHASE.Stopped : PHASE.Ready,
      lastReadyTime: "2026-01-01T00:00:00Z",
      runtime: runtimeAt(api.config, origin),
    };
    try {
      await client.mergePatch(INSTANCES, { namespace, name }, { status }, { subresource: "status" });
    } catch (error) {
      // It was deleted meanwhile.
      if (!isNotFound(error)) throw error;
    }
  }

  const unsubscribe = api.informer.onChange(({ object }) => settle(object));
  return async () => {
    unsubscribe();
    await Promise.all(writes);
  };
}
