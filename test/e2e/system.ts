import { inject } from "vitest";
import { INSTANCES, type OpenClawInstance } from "#crds/index.ts";
import { createKubeClient, type KubeClient } from "#lib/kube/client.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createInformer } from "#lib/kube/informer.ts";
import type { KubeObject, ObjectRef, ResourceType } from "#lib/kube/types.ts";
import { createLogger } from "#lib/log.ts";
import { type Cluster, findCluster } from "#test/cluster/cluster.ts";
import type { E2eSystem } from "#test/harness/e2e-setup.ts";
import type { ModelStats } from "#test/harness/model/stats.ts";

const log = createLogger("e2e", "silent");

/** The running system, with what tests need to look into it. */
export interface System extends E2eSystem, AsyncDisposable {
  client: KubeClient;
  /** The cluster's own handle: kubectl, commands inside. */
  machine: Cluster;
  /** kubectl in the tenants' namespace. */
  kubectl(...args: string[]): Promise<string>;
  /** Resolves with the object as soon as it is as wanted; undefined is asked about too, when it does not exist. */
  until<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    wanted: (object: T | undefined) => boolean,
  ): Promise<T | undefined>;
  /** An instance of the tenants' namespace once it is as wanted. */
  instanceUntil(name: string, wanted: (instance: OpenClawInstance) => boolean): Promise<OpenClawInstance>;
  /** Counts of the simulated provider; with `aborted` or `total`, once they have come that far. */
  modelStats(atLeast?: { aborted?: number; total?: number }): Promise<ModelStats>;
}

/** Connects to the system that the setup brought up. */
export async function connectSystem(): Promise<System> {
  const e2e = inject("e2e");
  const machine = await findCluster(e2e.cluster);
  if (!machine) throw new Error(`cluster ${e2e.cluster} does not run`);
  const client = createKubeClient({ config: loadKubeAccess(e2e.kubeconfig), userAgent: "hatchery-e2e", log });
  const until: System["until"] = (type, ref, wanted) => watchUntil(client, type, ref, wanted);
  return {
    ...e2e,
    client,
    machine,
    kubectl: (...args) => machine.kubectl("--namespace", e2e.tenantNamespace, ...args),
    until,
    async instanceUntil(name, wanted) {
      const ref = { name, namespace: e2e.tenantNamespace };
      const found = await until(INSTANCES, ref, (instance) => instance !== undefined && wanted(instance));
      if (!found) throw new Error(`instance ${name} is gone`);
      return found;
    },
    async modelStats(atLeast = {}) {
      const counts = Object.entries(atLeast).map(([name, count]) => [name, String(count)] as const);
      const query = new URLSearchParams(Object.fromEntries(counts));
      return (await (await fetch(`${e2e.modelUrl}/stats?${query.toString()}`)).json()) as ModelStats;
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** Watches one object until it is as wanted, so that nobody has to ask again and again. */
async function watchUntil<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  { namespace, name }: ObjectRef,
  wanted: (object: T | undefined) => boolean,
): Promise<T | undefined> {
  const fieldSelector = `metadata.name=${name}`;
  const informer = createInformer({ client, type, namespace, fieldSelector, log });
  const stop = new AbortController();
  const found = Promise.withResolvers<T | undefined>();
  const look = () => {
    const object = informer.list()[0];
    if (wanted(object)) found.resolve(object);
  };
  informer.onChange(look);
  const running = informer.run(stop.signal).catch((error: unknown) => found.reject(error as Error));
  try {
    await informer.synced();
    look();
    return await found.promise;
  } finally {
    stop.abort();
    await running;
  }
}
