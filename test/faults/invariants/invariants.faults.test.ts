import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { CLASSES, INSTANCES, LABEL, type OpenClawInstance } from "#crds/index.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { ownerReference } from "#lib/kube/owner.ts";
import { CONFIG_MAPS, NODES, PERSISTENT_VOLUME_CLAIMS, PODS, type Pod } from "#lib/kube/resource.ts";
import { adminClient, classNamed, createSandbox, instanceNamed, OPERATOR_AGENT } from "#operator/operator.fixture.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { type Records, startRecords } from "../records.ts";
import type { Audit, Checker } from "./audit.ts";
import { fewStatusPatches } from "./few-status-patches.ts";
import { findBroken } from "./invariants.ts";
import { keptVolumes } from "./kept-volumes.ts";
import { onePodEach } from "./one-pod.ts";
import { untouchedSpecs } from "./untouched-specs.ts";
import { usefulWrites } from "./useful-writes.ts";

/*
 * Each checker is shown what it is there for, done on purpose on the real apiserver in the operator's name, and what looks
 * like it and is allowed.
 */

let admin: KubeClient;
let operator: KubeClient;
let namespace: string;
let records: Records;

beforeAll(() => {
  admin = adminClient(inject("kubeconfig"));
  operator = adminClient(inject("kubeconfig"), OPERATOR_AGENT);
});
afterAll(() => Promise.all([admin.close(), operator.close()]));
beforeEach(async () => {
  namespace = await createSandbox(admin);
  await admin.create(CLASSES, classNamed(namespace));
  records = await startRecords();
});

/** What a checker finds once the log holds the last request: that is a marker of ours. */
async function findings(checker: Checker): Promise<string[]> {
  return checker(await recorded());
}

async function recorded(): Promise<Audit> {
  const name = `marker-${randomBytes(4).toString("hex")}`;
  await admin.create(CONFIG_MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata: { namespace, name } });
  return waitFor("the log to be written", async () => {
    const audit = await records.audit();
    return audit.requests.some((request) => request.name === name) && audit;
  });
}

function ref(name: string) {
  return { namespace, name };
}

function pod(name: string, o: { instance?: string; claim?: string; node?: string } = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { ...ref(name), ...(o.instance ? { labels: { [LABEL.instance]: o.instance } } : {}) },
    spec: {
      containers: [{ name: "c", image: "registry.test/none" }],
      ...(o.node ? { nodeName: o.node } : {}),
      ...(o.claim ? { volumes: [{ name: "state", persistentVolumeClaim: { claimName: o.claim } }] } : {}),
    },
  };
}

async function claimOf(instance: OpenClawInstance): Promise<void> {
  await operator.create(PERSISTENT_VOLUME_CLAIMS, {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      ...ref(`openclaw-${instance.metadata.name}`),
      labels: { [LABEL.instance]: instance.metadata.name },
      ownerReferences: [ownerReference(instance, { controller: true })],
    },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
  });
}

function createInstance(spec: Partial<OpenClawInstance["spec"]> = {}): Promise<OpenClawInstance> {
  return admin.create(INSTANCES, instanceNamed(namespace, "alice", { className: namespace, ...spec }));
}

describe("one pod each", () => {
  it("is broken by a second pod of an instance and by a second pod on a volume", async () => {
    await operator.create(PODS, pod("a", { instance: "alice", claim: "one" }));
    await operator.create(PODS, pod("b", { instance: "alice", claim: "two" }));
    await operator.create(PODS, pod("c", { instance: "bob", claim: "two" }));
    expect(await findings(onePodEach)).toEqual([
      expect.stringContaining(`a second live pod of the instance ${namespace}/alice`),
      expect.stringContaining(`a second live pod of the volume ${namespace}/two`),
    ]);
  });

  it("is broken by a new pod beside one that is still ending", async () => {
    await operator.create(PODS, pod("a", { claim: "one", node: `node-${namespace}` }));
    await operator.delete(PODS, ref("a"));
    await operator.create(PODS, pod("b", { claim: "one" }));
    expect(await findings(onePodEach)).toEqual([expect.stringContaining("a second live pod of the volume")]);
  });

  it("is broken by removing a pod from under a node that may still run it", async () => {
    await operator.create(PODS, pod("a", { claim: "one", node: `node-${namespace}` }));
    await operator.delete(PODS, ref("a"), { gracePeriodSeconds: 0 });
    await operator.create(PODS, pod("a", { claim: "one" }));
    expect(await findings(onePodEach)).toEqual([
      expect.stringContaining(`removed while it may still run on node-${namespace}`),
      expect.stringContaining("a second live pod of the volume"),
    ]);
  });

  it("holds for a pod that follows one that is gone, or whose node is", async () => {
    await operator.create(PODS, pod("a", { instance: "alice", claim: "one" }));
    await operator.delete(PODS, ref("a"));
    await operator.create(PODS, pod("b", { instance: "alice", claim: "one" }));
    const node = { apiVersion: "v1", kind: "Node", metadata: { name: `node-${namespace}` } };
    await admin.create(NODES, node);
    await operator.create(PODS, pod("c", { claim: "two", node: node.metadata.name }));
    await admin.delete(PODS, ref("c"), { gracePeriodSeconds: 0 });
    await operator.create(PODS, pod("d", { claim: "two", node: node.metadata.name }));
    await admin.delete(NODES, node.metadata);
    await operator.delete(PODS, ref("d"), { gracePeriodSeconds: 0 });
    await operator.create(PODS, pod("e", { claim: "two" }));
    expect(await findings(onePodEach)).toEqual([]);
  });
});

describe("kept volumes", () => {
  it("are broken by an operator that deletes one, and by one that is given to an instance that is to leave it", async () => {
    const instance = await createInstance({ deletionPolicy: "Retain" });
    await claimOf(instance);
    await admin.delete(INSTANCES, ref("alice"));
    await collected();
    await operator.create(PERSISTENT_VOLUME_CLAIMS, {
      apiVersion: "v1",
      kind: "PersistentVolumeClaim",
      metadata: ref("openclaw-bob"),
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    });
    await operator.delete(PERSISTENT_VOLUME_CLAIMS, ref("openclaw-bob"));
    expect(await findings(keptVolumes)).toEqual([
      expect.stringContaining("a volume is collected under the policy Retain"),
      expect.stringContaining("the operator deletes a volume"),
    ]);
  });

  it("hold where the policy says that the volume goes with its instance", async () => {
    await claimOf(await createInstance({ deletionPolicy: "Delete" }));
    await admin.delete(INSTANCES, ref("alice"));
    await collected();
    expect(await findings(keptVolumes)).toEqual([]);
  });

  function collected(): Promise<unknown> {
    return waitFor("the claim to be collected", async () => {
      const claim = await admin.get(PERSISTENT_VOLUME_CLAIMS, ref("openclaw-alice"));
      return claim === undefined || claim.metadata.deletionTimestamp !== undefined;
    });
  }
});

describe("useful writes", () => {
  const map = (value: string) => ({
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: ref("map"),
    data: { value },
  });
  const apply = (value: string) => operator.apply(CONFIG_MAPS, map(value), { fieldManager: "test" });

  it("are broken by an apply and by a patch that change nothing", async () => {
    await apply("1");
    await apply("1");
    await operator.mergePatch(CONFIG_MAPS, ref("map"), { data: { value: "1" } });
    expect(await findings(usefulWrites)).toEqual([
      expect.stringContaining("a write without a change"),
      expect.stringContaining("a write without a change"),
    ]);
  });

  it("hold where each write changes something, and where an answer was lost", async () => {
    await apply("1");
    await apply("2");
    await operator.mergePatch(CONFIG_MAPS, ref("map"), { data: { value: "3" } });
    expect(await findings(usefulWrites)).toEqual([]);
    await operator.mergePatch(CONFIG_MAPS, ref("map"), { data: { value: "3" } });
    expect(usefulWrites({ ...(await recorded()), lostAnswers: true })).toEqual([]);
    expect(await findings(usefulWrites)).toHaveLength(1);
  });
});

describe("untouched specs", () => {
  it("are broken by a write of the spec, of labels, and of the whole object", async () => {
    const { metadata } = await createInstance();
    await operator.mergePatch(INSTANCES, ref("alice"), { spec: { runPolicy: "Stopped" } });
    await operator.mergePatch(INSTANCES, ref("alice"), { metadata: { labels: { a: "b" } } });
    await operator.delete(INSTANCES, ref("alice"), { uid: metadata.uid });
    expect(await findings(untouchedSpecs)).toEqual([
      expect.stringContaining("the operator writes spec"),
      expect.stringContaining("the operator writes metadata.labels"),
      expect.stringContaining("the operator only patches"),
    ]);
  });

  it("hold for statuses, annotations and finalizers", async () => {
    await createInstance();
    const { resourceVersion } = (await admin.get(INSTANCES, ref("alice")))?.metadata ?? {};
    const patch = { metadata: { resourceVersion }, status: { phase: "Provisioning" } };
    await operator.mergePatch(INSTANCES, ref("alice"), patch, { subresource: "status" });
    await operator.mergePatch(INSTANCES, ref("alice"), { metadata: { annotations: { a: "b" } } });
    expect(await findings(untouchedSpecs)).toEqual([]);
  });
});

describe("few status patches", () => {
  async function tell(restarts: number): Promise<void> {
    await operator.mergePatch(INSTANCES, ref("alice"), { status: { restarts } }, { subresource: "status" });
  }

  it("are broken by a status that flaps", async () => {
    await createInstance();
    for (let turn = 0; turn < 5; turn++) await tell(turn % 2);
    expect(await findings(fewStatusPatches)).toEqual([
      `${namespace}/alice: 5 patches of the status where 4 are enough`,
    ]);
  });

  it("hold for two on each occasion", async () => {
    await createInstance();
    for (let turn = 0; turn < 4; turn++) await tell(turn);
    await admin.mergePatch(INSTANCES, ref("alice"), { spec: { runPolicy: "Stopped" } });
    for (let turn = 4; turn < 6; turn++) await tell(turn);
    expect(await findings(fewStatusPatches)).toEqual([]);
  });
});

describe("a log that shows nothing", () => {
  it("is a finding too", async () => {
    expect(findBroken(await recorded())).toEqual(["the log shows no write of the operator"]);
  });
});
