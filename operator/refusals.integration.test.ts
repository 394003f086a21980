import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CLASSES, INSTANCES, LABEL } from "#crds/index.ts";
import type { KubeClient } from "#lib/kube/client.ts";
import { CONFIG_MAPS, PERSISTENT_VOLUME_CLAIMS, PODS, SECRETS, SERVICES } from "#lib/kube/resource.ts";
import { type ControlPlane, startControlPlane } from "#test/cluster/control-plane.ts";
import { waitFor } from "#test/cluster/wait.ts";
import { startFaultProxy } from "#test/harness/fault-proxy/proxy.ts";
import { installCrds } from "#test/harness/integration-setup.ts";
import {
  adminClient,
  classNamed,
  createSandbox,
  instanceNamed,
  isReady,
  type RunningOperator,
  startNode,
  startOperator,
  untilInstance,
  untilTold,
} from "./operator.fixture.ts";

let plane: ControlPlane;
let client: KubeClient;
let namespace: string;
let operator: RunningOperator;
let node: Awaited<ReturnType<typeof startNode>>;

beforeAll(async () => {
  plane = await startControlPlane();
  await installCrds(plane);
  client = adminClient(plane.kubeconfig);
});

afterAll(async () => {
  await client.close();
  await plane.stop();
});

beforeEach(async () => {
  namespace = await createSandbox(client);
  node = await startNode(client, namespace);
  operator = await startOperator(plane.kubeconfig, namespace);
});

afterEach(async () => {
  await operator.stop();
  await node.stop();
  await client.delete(CLASSES, { name: namespace });
});

function ref(name: string) {
  return { namespace, name };
}

function create(name: string, spec = {}) {
  return client.create(INSTANCES, instanceNamed(namespace, name, { className: namespace, ...spec }));
}

function untilReason(name: string, reason: string) {
  return untilTold(client, plane, operator, ref(name), reason);
}

describe("what keeps an instance from running", () => {
  it("is a class that does not exist, until it does", async () => {
    await create("alice");
    const { status } = await untilReason("alice", "ClassNotFound");
    expect(status?.failure?.message).toContain(`no OpenClawClass "${namespace}"`);
    expect(status?.phase).toBe("Failed");
    await client.create(CLASSES, classNamed(namespace));
    await untilInstance(client, ref("alice"), isReady);
  });

  it("is a key of the configuration that belongs to the operator; what runs goes on", async () => {
    await client.create(CLASSES, classNamed(namespace));
    await create("bob", { gateway: { config: { gateway: { port: 1 } } } });
    const { status } = await untilReason("bob", "ForbiddenConfigKey");
    expect(status?.failure?.message).toContain("may not be set: gateway.config.gateway. Remove");
    expect(await client.get(PODS, ref("openclaw-bob"))).toBeUndefined();

    await create("alice");
    const before = await untilInstance(client, ref("alice"), isReady);
    await client.mergePatch(INSTANCES, ref("alice"), { spec: { gateway: { config: { gateway: { port: 1 } } } } });
    const after = await untilReason("alice", "ForbiddenConfigKey");
    expect(after.status).toMatchObject({ phase: "Ready", runtime: { podUID: before.status?.runtime?.podUID } });
    // Also a pod that has to be replaced meanwhile comes back, with the configuration that was valid.
    await client.delete(PODS, ref("openclaw-alice"));
    await untilInstance(
      client,
      ref("alice"),
      (i) => isReady(i) && i.status?.runtime?.podUID !== before.status?.runtime?.podUID,
    );
  });

  it("is a private destination, which only a class may open", async () => {
    await client.create(CLASSES, classNamed(namespace));
    await create("alice", { network: { egress: [{ cidr: "10.0.0.0/8", ports: [443] }] } });
    const { status } = await untilReason("alice", "ForbiddenConfigKey");
    expect(status?.failure?.message).toContain("network.egress[0].cidr");
  });

  it("is a model that the class does not have", async () => {
    await client.create(CLASSES, classNamed(namespace));
    await create("alice", { model: { default: "huge" } });
    const { status } = await untilReason("alice", "ModelNotFound");
    expect(status?.failure).toMatchObject({ step: "model" });
    expect(status?.failure?.message).toContain("it has: default");
  });

  it("is a stranger under a child's name, who is left as he is", async () => {
    await client.create(CLASSES, classNamed(namespace));
    const stranger = { apiVersion: "v1", kind: "ConfigMap", metadata: ref("openclaw-alice"), data: { mine: "yes" } };
    await client.create(CONFIG_MAPS, stranger);
    await create("alice");
    const { status } = await untilReason("alice", "NameTaken");
    expect(status?.failure?.message).toContain("ConfigMap openclaw-alice exists");
    const after = await client.get(CONFIG_MAPS, ref("openclaw-alice"));
    expect(after?.data).toEqual({ mine: "yes" });
    expect(after?.metadata.labels).toBeUndefined();
    expect(await client.get(PODS, ref("openclaw-alice"))).toBeUndefined();
  });

  it("is the volume of another tenant under the name", async () => {
    await client.create(CLASSES, classNamed(namespace));
    await create("alice", { owner: { subject: "alice" } });
    await untilInstance(client, ref("alice"), isReady);
    await client.delete(INSTANCES, ref("alice"));
    await waitFor("the children to be collected", async () => !(await client.get(PODS, ref("openclaw-alice"))));
    await create("alice", { owner: { subject: "mallory" } });
    const { status } = await untilReason("alice", "NameTaken");
    expect(status?.failure).toMatchObject({ step: "storage" });
    expect(await client.get(PODS, ref("openclaw-alice"))).toBeUndefined();
  });

  it("is a quota without room", async () => {
    await client.create(CLASSES, classNamed(namespace));
    await plane.kubectl("-n", namespace, "create", "quota", "none", "--hard=pods=0");
    await create("alice");
    const { status } = await untilReason("alice", "QuotaExceeded");
    expect(status?.failure).toMatchObject({ step: "pod" });
    expect(status?.failure?.message).toContain("exceeded quota: none");
  });
});

describe("an apiserver that does not delete", () => {
  it("is asked again", async () => {
    await client.create(CLASSES, classNamed(namespace));
    const proxy = await startFaultProxy(plane.kubeconfig);
    await operator.stop();
    operator = await startOperator(proxy.kubeconfig, namespace);
    await create("alice");
    const before = await untilInstance(client, ref("alice"), isReady);
    proxy.inject({ kind: "answer", status: 500 }, { match: ({ method }) => method === "DELETE", times: 1 });
    await client.mergePatch(INSTANCES, ref("alice"), { spec: { gateway: { toolsDeny: ["nodes"] } } });
    await untilInstance(
      client,
      ref("alice"),
      (i) => isReady(i) && i.status?.runtime?.podUID !== before.status?.runtime?.podUID,
    );
    await operator.stop();
    await proxy.close();
    operator = await startOperator(plane.kubeconfig, namespace);
  });
});

describe("an apiserver that fails again and again", () => {
  it("is told of by an instance that was never told of before", async () => {
    await client.create(CLASSES, classNamed(namespace));
    const proxy = await startFaultProxy(plane.kubeconfig);
    await operator.stop();
    operator = await startOperator(proxy.kubeconfig, namespace);
    const isOfSecrets = ({ method, path }: { method: string; path: string }) =>
      method === "PATCH" && path.includes(`/${SECRETS.plural}/`);
    proxy.inject({ kind: "answer", status: 500 }, { match: isOfSecrets });
    await create("alice");
    const { status } = await untilReason("alice", "ReconcileFailed");
    expect(status?.failure).toMatchObject({ step: "secret" });
    expect(status?.failure?.message).toContain("webhooks");
    await operator.stop();
    await proxy.close();
    operator = await startOperator(plane.kubeconfig, namespace);
    await untilInstance(client, ref("alice"), isReady);
  });
});

describe("an apiserver that does not let go of a volume", () => {
  it("makes nobody believe that it will be kept", async () => {
    await client.create(CLASSES, classNamed(namespace, { deletionPolicy: "Delete" }));
    const proxy = await startFaultProxy(plane.kubeconfig);
    await operator.stop();
    operator = await startOperator(proxy.kubeconfig, namespace);
    await create("alice");
    await untilInstance(client, ref("alice"), isReady);
    const isOfClaims = ({ method, path }: { method: string; path: string }) =>
      method === "PATCH" && path.includes(`/${PERSISTENT_VOLUME_CLAIMS.plural}/`);
    proxy.inject({ kind: "answer", status: 403 }, { match: isOfClaims });
    await client.mergePatch(INSTANCES, ref("alice"), { spec: { deletionPolicy: "Retain" } });
    const { metadata, status } = await untilReason("alice", "ChildRefused");
    expect(status?.observedGeneration).toBe((metadata.generation ?? 0) - 1);
    await operator.stop();
    await proxy.close();
    operator = await startOperator(plane.kubeconfig, namespace);
    const { status: kept } = await untilInstance(client, ref("alice"), isReady);
    expect(kept?.failure).toBeUndefined();
    expect((await client.get(PERSISTENT_VOLUME_CLAIMS, ref("openclaw-alice")))?.metadata.ownerReferences ?? []).toEqual(
      [],
    );
  });
});

describe("a namespace under the strictest PodSecurity standard", () => {
  it("takes the pods as they are", async () => {
    await client.create(CLASSES, classNamed(namespace));
    await plane.kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted");
    await create("alice");
    await untilInstance(client, ref("alice"), isReady);
  });
});

describe("a volume that was kept", () => {
  it("is adopted, with its slot, by a later instance of the same owner and name", async () => {
    await client.create(CLASSES, classNamed(namespace));
    await create("alice");
    const first = await untilInstance(client, ref("alice"), isReady);
    await client.delete(INSTANCES, ref("alice"));
    await waitFor("the children to be collected", async () => {
      const left = await Promise.all([PODS, SECRETS].map((type) => client.get(type, ref("openclaw-alice"))));
      return left.every((child) => child === undefined);
    });
    const claim = await client.get(PERSISTENT_VOLUME_CLAIMS, ref("openclaw-alice"));
    expect(claim?.metadata.labels?.[LABEL.slot]).toBe(first.status?.runtime?.slot);

    await create("alice");
    const second = await untilInstance(client, ref("alice"), isReady);
    expect(second.metadata.uid).not.toBe(first.metadata.uid);
    expect(second.status?.runtime?.slot).toBe(first.status?.runtime?.slot);
    expect((await client.get(PERSISTENT_VOLUME_CLAIMS, ref("openclaw-alice")))?.metadata.uid).toBe(claim?.metadata.uid);
  });

  it("goes with the instance under deletionPolicy Delete", async () => {
    await client.create(CLASSES, classNamed(namespace, { deletionPolicy: "Delete" }));
    await create("alice");
    await untilInstance(client, ref("alice"), isReady);
    await client.delete(INSTANCES, ref("alice"));
    await waitFor(
      "the volume to be collected",
      async () => !(await client.get(PERSISTENT_VOLUME_CLAIMS, ref("openclaw-alice"))),
    );
  });

  it("goes so with neither gateway nor operator to ask, and leaves nothing to the next instance of its owner", async () => {
    await client.create(CLASSES, classNamed(namespace, { deletionPolicy: "Delete" }));
    await create("alice");
    const first = await untilInstance(client, ref("alice"), isReady);
    const volume = async () => (await client.get(PERSISTENT_VOLUME_CLAIMS, ref("openclaw-alice")))?.metadata.uid;
    const lost = await volume();
    await operator.stop();
    await node.gateway(`${namespace}/openclaw-alice`)?.close();
    await client.delete(INSTANCES, ref("alice"));
    expect(await client.get(INSTANCES, ref("alice"))).toBeUndefined();
    await waitFor("the children to be collected", async () => {
      const types = [PODS, SECRETS, CONFIG_MAPS, SERVICES, PERSISTENT_VOLUME_CLAIMS];
      const left = await Promise.all(types.map((type) => client.get(type, ref("openclaw-alice"))));
      return left.every((child) => child === undefined);
    });

    operator = await startOperator(plane.kubeconfig, namespace);
    await create("alice");
    const second = await untilInstance(client, ref("alice"), isReady);
    expect(second.status?.runtime?.slot).not.toBe(first.status?.runtime?.slot);
    expect(await volume()).not.toBe(lost);
  });
});
