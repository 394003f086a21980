import { createServer } from "node:http";
import { systemClock } from "#lib/clock.ts";
import { createKubeClient, type KubeClient } from "#lib/kube/client.ts";
import { loadKubeAccess } from "#lib/kube/config.ts";
import { createController } from "#lib/kube/controller.ts";
import { isAlreadyExists, isConflict, isNotFound } from "#lib/kube/errors.ts";
import { createInformer } from "#lib/kube/informer.ts";
import { NODES, PERSISTENT_VOLUME_CLAIMS, type PersistentVolumeClaim, PODS, type Pod } from "#lib/kube/resource.ts";
import { type KubeObject, parseKey, type ResourceType } from "#lib/kube/types.ts";
import { createLogger } from "#lib/log.ts";
import { runProcess } from "#lib/process.ts";
import { readyStatus } from "#test/harness/fake-node.ts";

/*
 * Scheduler, kubelet, provisioner and all gateways in one process: binds each claim and each pod, makes the pod ready after
 * POD_DELAY_MS, and takes away what is being deleted. Two requests for a pod and one for a claim, no more than it must be.
 * All pods have addresses of 127.0.0.0/8 that one server answers for, with 200 to whoever asks.
 */

interface Binding extends KubeObject {
  target: { apiVersion: string; kind: string; name: string };
}
const BINDINGS: ResourceType<Binding> = {
  group: "",
  version: "v1",
  kind: "Binding",
  plural: "bindings",
  namespaced: true,
};
const NODE = "bench-node";
const WORKERS = 16;

await runProcess({
  name: "fake-node",
  async main({ signal, env }) {
    const log = createLogger("fake-node", "warn");
    const access = loadKubeAccess(env.KUBECONFIG);
    const client = createKubeClient({ config: access, userAgent: "hatchery-bench-node", log });
    await client.create(NODES, { apiVersion: "v1", kind: "Node", metadata: { name: NODE } });
    const gateway = createServer((_, response) => response.end('{"object":"list","data":[]}'));
    gateway.listen(Number(env.GATEWAY_PORT), "0.0.0.0");
    const node = createNode(client, Number(env.POD_DELAY_MS ?? 0));
    const pods = createInformer({ client, type: PODS, transform: essence, log });
    const claims = createInformer({ client, type: PERSISTENT_VOLUME_CLAIMS, transform: essence, log });
    const parts = { workers: WORKERS, clock: systemClock, log };
    const kubelet = createController({ ...parts, name: "kubelet", reconcile: (key) => node.runPod(pods.get(key)) });
    const binder = createController({ ...parts, name: "binder", reconcile: (key) => node.bind(claims.get(key)) });
    pods.onChange(({ key }) => kubelet.queue.add(key));
    claims.onChange(({ key }) => binder.queue.add(key));
    const running = Promise.all([pods, claims, kubelet, binder].map((part) => part.run(signal)));
    await Promise.all([pods.synced(signal), claims.synced(signal)]);
    await running;
    gateway.closeAllConnections();
    gateway.close();
    await client.close();
  },
});

function createNode(client: KubeClient, delayMs: number) {
  let lastAddress = 0;

  async function runPod(pod: Pod | undefined) {
    if (!pod) return undefined;
    const { metadata, spec, status } = pod;
    if (metadata.deletionTimestamp) {
      await settled(client.delete(PODS, metadata, { uid: metadata.uid ?? "", gracePeriodSeconds: 0 }));
      return undefined;
    }
    if (!spec?.nodeName) {
      const target = { apiVersion: "v1", kind: "Node", name: NODE };
      const { name, namespace = "" } = metadata;
      const binding = { apiVersion: "v1", kind: "Binding", metadata: { name, namespace }, target };
      await settled(client.create(BINDINGS, binding));
      return undefined;
    }
    if (status?.phase !== "Pending" || status.podIP) return undefined;
    const age = Date.now() - Date.parse(metadata.creationTimestamp ?? "");
    if (delayMs > 0 && age < delayMs) return { requeueAfterMs: delayMs - age };
    lastAddress += 1;
    const ends = spec.restartPolicy === "Never";
    await patchStatus(PODS, pod, ends ? { phase: "Succeeded" } : readyStatus(pod, addressOf(lastAddress)));
    return undefined;
  }

  async function bind(claim: PersistentVolumeClaim | undefined) {
    if (!claim || claim.status?.phase === "Bound" || claim.metadata.deletionTimestamp) return undefined;
    const capacity = claim.spec?.resources?.requests ?? {};
    await patchStatus(PERSISTENT_VOLUME_CLAIMS, claim, { phase: "Bound", capacity });
    return undefined;
  }

  async function patchStatus(type: ResourceType, { metadata }: KubeObject, status: object): Promise<void> {
    const { uid } = metadata;
    const ref = parseKey(`${metadata.namespace}/${metadata.name}`);
    await settled(client.mergePatch(type, ref, { metadata: { uid }, status }, { subresource: "status" }));
  }

  return { runPod, bind };
}

/** What was gone, or done, before our request came needs no second one. */
async function settled(request: Promise<unknown>): Promise<void> {
  await request.catch((error: unknown) => {
    if (!isNotFound(error) && !isConflict(error) && !isAlreadyExists(error)) throw error;
  });
}

/** The n-th address of 127.1.0.0 and up. */
function addressOf(n: number): string {
  return `127.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;
}

/** Thousands of whole pods would cost this process the time that is to be the apiserver's. */
function essence<T extends Pod | PersistentVolumeClaim>(object: T): T {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp } = object.metadata;
  const metadata = { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp };
  return { ...object, metadata };
}
