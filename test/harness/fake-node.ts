import { randomInt } from "node:crypto";
import { systemClock, timestamp } from "#lib/clock.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { createController } from "#lib/kube/controller.ts";
import { isAlreadyExists, isConflict, isNotFound } from "#lib/kube/errors.ts";
import { createInformer, type Informer } from "#lib/kube/informer.ts";
import {
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  type PersistentVolumeClaim,
  PODS,
  type Pod,
  SECRETS,
} from "#lib/kube/resource.ts";
import { type KubeObject, objectKey, parseKey, type ResourceType, refKey } from "#lib/kube/types.ts";
import type { Logger } from "#lib/log.ts";
import { type FakeGateway, startFakeGateway } from "./fake-gateway.ts";

/** What the node makes of a pod: the patch of its status, or `ready`. */
export type PodFate = "ready" | NonNullable<Pod["status"]>;

/** Options of a fake node. */
export interface FakeNodeOptions {
  readonly client: KubeClient;
  /** Namespace whose pods it takes; undefined = all. */
  readonly namespace?: string | undefined;
  readonly gatewayPort: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Name of the node; default `fake-node`. */
  readonly name?: string | undefined;
  /** Default: every pod becomes ready, or ends well if it is one that ends. */
  readonly fate?: (pod: Pod) => PodFate | undefined;
}

/** Scheduler, kubelet and volume provisioner in one, for an apiserver without nodes. */
export interface FakeNode {
  readonly pods: Informer<Pod>;
  /** Calls that the gateways of all pods got so far. */
  gatewayCalls(): number;
  /** The gateway of the pod of this key, while it runs. */
  gateway(key: string): FakeGateway | undefined;
  /** Overwrites a pod's status, as the kubelet does when something happened to it. */
  setStatus(key: string, status: NonNullable<Pod["status"]>): Promise<void>;
  /** Resolves when all has stopped, after the signal aborted. */
  readonly ended: Promise<void>;
}

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

const DEFAULT_NAME = "fake-node";

/**
 * Starts a fake node. It makes a volume for each claim, binds each pod, starts it once its claim is bound (with a gateway at an
 * address of 127.0.0.0/8 that knows the token of the pod's Secret), and removes pods that are being deleted.
 */
export async function startFakeNode(o: FakeNodeOptions): Promise<FakeNode> {
  const { client, log, namespace, signal, name: nodeName = DEFAULT_NAME } = o;
  const gateways = new Map<string, FakeGateway>();
  const subnet = `127.${randomInt(2, 255)}.${randomInt(1, 255)}`;
  let lastHost = 0;
  let pastCalls = 0;
  await client
    .create(NODES, { apiVersion: "v1", kind: "Node", metadata: { name: nodeName } })
    .catch(ignoreAlreadyExists);

  const pods = createInformer({ client, type: PODS, namespace, log });
  const claims = createInformer({ client, type: PERSISTENT_VOLUME_CLAIMS, namespace, log });

  async function closeGateway(uid: string): Promise<void> {
    const gateway = gateways.get(uid);
    if (!gateway) return;
    gateways.delete(uid);
    pastCalls += gateway.calls;
    await gateway.close();
  }

  async function runPod(key: string): Promise<undefined> {
    const pod = pods.get(key);
    if (!pod || (pod.spec?.nodeName ?? nodeName) !== nodeName) return undefined;
    if (pod.metadata.deletionTimestamp) {
      await closeGateway(pod.metadata.uid ?? "");
      await client.delete(PODS, pod.metadata, { uid: pod.metadata.uid ?? "", gracePeriodSeconds: 0 }).catch(ignoreGone);
      return undefined;
    }
    if (!pod.spec?.nodeName) {
      const target = { apiVersion: "v1", kind: "Node", name: nodeName };
      const binding = { apiVersion: "v1", kind: "Binding", metadata: refOf(pod), target };
      await client.create(BINDINGS, binding).catch(ignoreGone);
      return undefined;
    }
    if (pod.status?.phase === "Pending" && !pod.status.podIP && claimsOf(pod).every(isBound)) await startPod(pod);
    return undefined;
  }

  async function startPod(pod: Pod): Promise<void> {
    const wanted = o.fate?.(pod) ?? "ready";
    const fate = wanted === "ready" && pod.spec?.restartPolicy === "Never" ? { phase: "Succeeded" } : wanted;
    if (fate !== "ready") return setStatus(objectKey(pod), fate);
    lastHost++;
    const address = `${subnet}.${lastHost}`;
    const secretName = pod.spec?.containers[0]?.env?.find(({ valueFrom }) => valueFrom?.secretKeyRef)?.valueFrom
      ?.secretKeyRef;
    const secret = await client.get(SECRETS, { ...refOf(pod), name: secretName?.name ?? "" });
    const token = Buffer.from(secret?.data?.[secretName?.key ?? ""] ?? "", "base64").toString();
    gateways.set(pod.metadata.uid ?? "", await startFakeGateway({ address, port: o.gatewayPort, token }));
    await setStatus(objectKey(pod), readyStatus(pod, address));
  }

  async function setStatus(key: string, status: NonNullable<Pod["status"]>): Promise<void> {
    await client.mergePatch(PODS, parseKey(key), { status }, { subresource: "status" }).catch(ignoreGone);
  }

  function claimsOf(pod: Pod): (PersistentVolumeClaim | undefined)[] {
    return (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: volume }) =>
      volume ? [claims.get(refKey({ ...refOf(pod), name: volume.claimName }))] : [],
    );
  }

  /** A volume made for this very claim; the control plane's own controller binds the two. */
  async function provision(key: string): Promise<undefined> {
    const claim = claims.get(key);
    if (!claim || isBound(claim) || claim.metadata.deletionTimestamp) return undefined;
    const { uid, name, namespace: claimNamespace } = claim.metadata;
    await client
      .create(PERSISTENT_VOLUMES, {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: `pv-${uid}` },
        spec: {
          capacity: { storage: claim.spec?.resources?.requests?.storage ?? "1Gi" },
          accessModes: claim.spec?.accessModes ?? [],
          hostPath: { path: "/nonexistent" },
          claimRef: {
            kind: "PersistentVolumeClaim",
            apiVersion: "v1",
            name,
            ...(claimNamespace ? { namespace: claimNamespace } : {}),
            ...(uid ? { uid } : {}),
          },
          storageClassName: claim.spec?.storageClassName ?? "",
        },
      })
      .catch(ignoreAlreadyExists);
    return undefined;
  }

  const parts = { workers: 8, clock: systemClock, log };
  const kubelet = createController({ ...parts, name: "fake-kubelet", reconcile: runPod });
  const provisioner = createController({ ...parts, name: "fake-provisioner", reconcile: provision });
  pods.onChange(({ key, type, object }) => {
    if (type === "deleted") void closeGateway(object.metadata.uid ?? "");
    kubelet.queue.add(key);
  });
  claims.onChange(({ key, object }) => {
    provisioner.queue.add(key);
    if (!isBound(object)) return;
    for (const pod of pods.list()) if (claimsOf(pod).includes(claims.get(key))) kubelet.queue.add(objectKey(pod));
  });
  const ended = Promise.all([pods.run(signal), claims.run(signal), kubelet.run(signal), provisioner.run(signal)]).then(
    async () => {
      for (const uid of gateways.keys()) await closeGateway(uid);
    },
  );
  await Promise.all([pods.synced(signal), claims.synced(signal)]);
  return {
    pods,
    setStatus,
    ended,
    gateway: (key) => gateways.get(pods.get(key)?.metadata.uid ?? ""),
    gatewayCalls: () => pastCalls + [...gateways.values()].reduce((sum, gateway) => sum + gateway.calls, 0),
  };
}

/** The status of a pod whose container runs and passes its probes. */
export function readyStatus(pod: Pod, address: string): NonNullable<Pod["status"]> {
  const now = timestamp(Date.now());
  const container = pod.spec?.containers[0];
  const condition = (type: string) => ({ type, status: "True", lastTransitionTime: now });
  return {
    phase: "Running",
    podIP: address,
    podIPs: [{ ip: address }],
    startTime: now,
    conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map(condition),
    containerStatuses: [
      {
        name: container?.name ?? "",
        image: container?.image ?? "",
        imageID: "",
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: { startedAt: now } },
      },
    ],
  };
}

function isBound(claim: PersistentVolumeClaim | undefined): boolean {
  return claim?.status?.phase === "Bound";
}

function refOf(pod: Pod): { name: string; namespace: string } {
  return { name: pod.metadata.name, namespace: pod.metadata.namespace ?? "" };
}

function ignoreAlreadyExists(error: unknown): void {
  if (!isAlreadyExists(error)) throw error;
}

/** The object went away or moved on meanwhile; its next event brings us back. */
function ignoreGone(error: unknown): void {
  if (!isNotFound(error) && !isConflict(error) && !isAlreadyExists(error)) throw error;
}
