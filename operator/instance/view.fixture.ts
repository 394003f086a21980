import {
  type ClassSpec,
  GROUP,
  type InstanceSpecInput,
  type OpenClawClass,
  type OpenClawInstance,
  VERSION,
} from "#crds/index.ts";
import { parseKeyRing } from "#lib/keys.ts";
import type { Pod } from "#lib/kube/resource.ts";
import type { KubeObject } from "#lib/kube/types.ts";
import { trimConfigMap, trimPod, trimSecret } from "../cache/trim.ts";
import type { CheckBoard } from "./config-checks.ts";
import { edited } from "./json-patch.fixture.ts";
import type { Settings } from "./settings.ts";
import { holds, type Judgement } from "./verdict.ts";
import type { View } from "./view.ts";
import type { Write } from "./write.ts";

/** 2026-11-23T10:00:00Z, the time at which all objects of these views were made. */
export const NOW = Date.UTC(2026, 10, 23, 10, 0, 0);
export const SLOT = "ab".repeat(16);
export const OTHER_SLOT = "cd".repeat(16);

/** Await `keysReady` first. */
export function settings(ring = "c3".repeat(32)): Settings {
  return {
    keyRing: parseKeyRing(ring),
    modelGatewayUrl: "http://model-gateway.test:8080",
    namespace: "hatchery",
    dnsCidrs: [],
    operatorVersion: "1.2.3",
  };
}

export function aClass(spec: Partial<ClassSpec> = {}): OpenClawClass {
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: "OpenClawClass",
    metadata: { name: "standard", uid: "class-uid" },
    spec: {
      image: "registry.test/openclaw:2026.9.6-0123456789ab",
      resources: { requests: { cpu: "500m", memory: "1Gi" }, limits: { cpu: "2", memory: "2Gi" } },
      storage: { size: "5Gi" },
      models: [{ name: "default", provider: "p", providerModel: "m", contextWindow: 128_000, maxTokens: 8192 }],
      agent: { exec: "Allow" },
      // Tests of other things need not wait for a drain.
      drainSeconds: 0,
      nodeLostSeconds: 60,
      deletionPolicy: "Retain",
      maxInstancesPerOwner: 1,
      rollout: { maxUnavailable: 1 },
      ...spec,
    },
  };
}

export function anInstance(
  spec: Partial<InstanceSpecInput> = {},
  status?: OpenClawInstance["status"],
): OpenClawInstance {
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: "OpenClawInstance",
    metadata: { name: "alice", namespace: "tenants", uid: "alice-uid", generation: 1 },
    spec: {
      owner: { subject: "alice", kind: "Human" },
      className: "standard",
      runPolicy: "OnDemand",
      ...spec,
    } as OpenClawInstance["spec"],
    ...(status ? { status } : {}),
  };
}

/** Whatever is to be checked was checked before and found good: tests of other things need not wait for it. */
const ALL_PASSED: CheckBoard = { verdict: () => ({ passed: true }), runner: () => undefined };

/** A view with nothing but an instance and its class. */
export function aView(parts: Partial<View> = {}): View {
  return {
    instance: anInstance(),
    class: aClass(),
    secret: undefined,
    configMap: undefined,
    claim: undefined,
    service: undefined,
    classPolicy: undefined,
    instancePolicy: undefined,
    pod: undefined,
    node: undefined,
    checkPod: undefined,
    checks: ALL_PASSED,
    gateway: undefined,
    addressRival: undefined,
    drain: undefined,
    hasTurn: false,
    replaceAfter: undefined,
    ...parts,
  };
}

let uids = 0;

/** The view after writes were carried out by an apiserver that does nothing else, as the caches would hold it. */
export function carriedOut(view: View, writes: readonly Write[]): View {
  const after: View = { ...view };
  for (const write of writes) {
    const slot = slotFor(write);
    Object.assign(after, { [slot]: result(write, after[slot] as KubeObject | undefined) });
  }
  return after;
}

function slotFor({ type, ...write }: Write): keyof View {
  const object = "body" in write ? write.body : write.live;
  if (type.kind === "NetworkPolicy") return object.metadata.ownerReferences ? "instancePolicy" : "classPolicy";
  if (object.metadata.name.startsWith("check-")) return "checkPod";
  const slots: Record<string, keyof View> = {
    Secret: "secret",
    ConfigMap: "configMap",
    PersistentVolumeClaim: "claim",
    Service: "service",
    Pod: "pod",
  };
  const slot = slots[type.kind];
  if (!slot) throw new TypeError(type.kind);
  return slot;
}

function result(write: Write, before: KubeObject | undefined): KubeObject | undefined {
  if (write.verb === "delete") return undefined;
  if (write.verb === "edit") return edited(before ?? write.live, write.operations);
  if (write.verb === "patch") throw new TypeError("not needed by these tests");
  const live = write.verb === "apply" ? write.live : undefined;
  const metadata = {
    ...write.body.metadata,
    uid: live?.metadata.uid ?? `uid-${++uids}`,
    creationTimestamp: new Date(NOW).toISOString(),
  };
  const next = trim({ ...write.body, metadata });
  return live && before ? withOthersFields(next, before) : next;
}

/** What others, or we by another way, wrote beside what is applied stays. */
function withOthersFields(next: KubeObject & { data?: object }, before: KubeObject & { data?: object }): KubeObject {
  const annotations = { ...before.metadata.annotations, ...next.metadata.annotations };
  const data = next.data && { data: { ...before.data, ...next.data } };
  return { ...next, ...data, metadata: { ...next.metadata, annotations } };
}

function trim(object: KubeObject): KubeObject {
  if (object.kind === "Secret") return trimSecret(object as never);
  if (object.kind === "ConfigMap") return trimConfigMap(object as never);
  return object.kind === "Pod" ? trimPod(object as never) : object;
}

/** A pod with this status, otherwise as it was; it has a node unless the status says that it has none. */
export function withStatus(pod: Pod | undefined, status: NonNullable<Pod["status"]>): Pod {
  if (!pod) throw new TypeError("no pod");
  const bound = !status.conditions?.some((one) => one.type === "PodScheduled" && one.status === "False");
  return { ...pod, spec: { containers: pod.spec?.containers ?? [], ...(bound ? { nodeName: "node-1" } : {}) }, status };
}

/** The status of a pod that is ready at this address. */
export function readyPod(podIP = "10.0.0.7"): NonNullable<Pod["status"]> {
  const startedAt = new Date(NOW).toISOString();
  return {
    phase: "Running",
    podIP,
    conditions: [{ type: "Ready", status: "True", lastTransitionTime: startedAt }],
    containerStatuses: [
      {
        name: "openclaw",
        image: "",
        imageID: "",
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: { startedAt } },
      },
    ],
  };
}

/** A judgement in which all is well, but for these. */
export function aJudgement(parts: Partial<Judgement> = {}): Judgement {
  const well = holds("well");
  return {
    ClassFound: well,
    ConfigValid: well,
    ModelConfigured: well,
    StorageReady: well,
    PodReady: well,
    GatewayReachable: well,
    ...parts,
  };
}
