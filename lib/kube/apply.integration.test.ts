import { randomBytes } from "node:crypto";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import { type FaultProxy, startFaultProxy } from "#test/harness/fault-proxy/proxy.ts";
import { createTestNamespace, type TestNamespace } from "#test/harness/test-namespace.ts";
import { type ApplyIfChangedOptions, applyIfChanged } from "./apply.ts";
import { createKubeClient, type KubeClient } from "./client.ts";
import { loadKubeAccess } from "./config.ts";
import { isConflict } from "./errors.ts";
import {
  CONFIG_MAPS,
  NETWORK_POLICIES,
  type NetworkPolicy,
  PERSISTENT_VOLUME_CLAIMS,
  type PersistentVolumeClaim,
  PODS,
  type Pod,
  SECRETS,
  SERVICES,
  type Secret,
  type Service,
} from "./resource.ts";
import type { KubeObject, ResourceType } from "./types.ts";

const log = pino({ level: "silent" });
const OPTIONS: ApplyIfChangedOptions = {
  fieldManager: "test-operator",
  hashAnnotation: "test.invalid/applied-hash",
  versionAnnotation: "test.invalid/version",
  version: "1.0.0",
};

describe("applyIfChanged on a real apiserver", () => {
  let cluster: TestNamespace;
  let proxy: FaultProxy;
  let client: KubeClient;

  beforeAll(async () => {
    cluster = await createTestNamespace(loadKubeAccess(inject("kubeconfig")), "apply");
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    proxy = await startFaultProxy(inject("kubeconfig"));
    client = createKubeClient({ config: proxy.access, userAgent: "hatchery-test", log });
  });
  afterEach(async () => {
    await client.close();
    await proxy.close();
  });

  const meta = (name = `o-${randomBytes(4).toString("hex")}`) => ({ name, namespace: cluster.namespace });
  const read = async <T extends KubeObject>(type: ResourceType<T>, { metadata: { name } }: KubeObject): Promise<T> => {
    const object = await cluster.client.get(type, { name, namespace: cluster.namespace });
    if (!object) throw new Error(`${name} is not there`);
    return object;
  };
  /** Applies as a process that has just started would: with a live object read anew and a client that remembers nothing. */
  async function applyAfterRestart<T extends KubeObject>(type: ResourceType<T>, body: T, version = "1.0.0") {
    const fresh = createKubeClient({ config: proxy.access, userAgent: "hatchery-test", log });
    const seen = proxy.requests.length;
    const result = await applyIfChanged(fresh, type, body, await read(type, body), { ...OPTIONS, version });
    await fresh.close();
    return { ...result, requests: proxy.requests.length - seen };
  }

  it("writes nothing after a restart or an upgrade, whatever the server made of what was applied", async () => {
    for (const [type, body] of children(meta)) {
      const first = await applyIfChanged(client, type, body, undefined, OPTIONS);
      expect(first.written).toBe(true);
      expect(first.object.metadata.annotations).toMatchObject({ [OPTIONS.versionAnnotation]: "1.0.0" });
      expect(await applyAfterRestart(type, body, "2.0.0")).toMatchObject({ written: false, requests: 0 });
    }
  });

  it("writes once when the body changed, and removes what it no longer names", async () => {
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: meta(), data: { a: "1", b: "1" } };
    await applyIfChanged(client, CONFIG_MAPS, body, undefined, OPTIONS);
    const next = { ...body, data: { a: "2" } };
    const result = await applyAfterRestart(CONFIG_MAPS, next, "2.0.0");
    expect(result).toMatchObject({ written: true, requests: 1, object: { data: { a: "2" } } });
    expect(result.object.data).not.toHaveProperty("b");
    expect(result.object.metadata.annotations?.[OPTIONS.versionAnnotation]).toBe("2.0.0");
  });

  it("puts back with one write what somebody changed by hand", async () => {
    const body = networkPolicy(meta());
    await applyIfChanged(client, NETWORK_POLICIES, body, undefined, OPTIONS);
    const [rule] = body.spec?.egress ?? [];
    const edits = [
      { spec: { egress: [rule, {}] } },
      { spec: { egress: null } },
      { spec: { podSelector: { matchLabels: { c: "d" } } } },
      { metadata: { labels: { mine: "not" } } },
    ];
    for (const edit of edits) {
      await cluster.client.mergePatch(NETWORK_POLICIES, body.metadata, edit, { fieldManager: "kubectl-edit" });
      expect(await applyAfterRestart(NETWORK_POLICIES, body)).toMatchObject({ written: true, requests: 1 });
      const now = await read(NETWORK_POLICIES, body);
      expect(now.spec?.egress).toEqual(body.spec?.egress);
      expect(now.metadata.labels).toEqual({ mine: "yes" });
      expect(await applyAfterRestart(NETWORK_POLICIES, body)).toMatchObject({ written: false });
    }
  });

  it("leaves what others put beside ours", async () => {
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: meta(), data: { a: "1" } };
    await applyIfChanged(client, CONFIG_MAPS, body, undefined, OPTIONS);
    await cluster.client.mergePatch(CONFIG_MAPS, body.metadata, {
      data: { theirs: "1" },
      metadata: { labels: { x: "y" } },
    });
    expect(await applyAfterRestart(CONFIG_MAPS, body)).toMatchObject({ written: false });
  });

  it("tries once for each state of an object that the server writes in its own way", async () => {
    // Admission adds tolerations of its own to this list.
    const body: Pod = {
      ...pod(meta()),
      spec: {
        ...pod(meta()).spec,
        containers: pod(meta()).spec?.containers ?? [],
        tolerations: [{ key: "x", operator: "Exists" }],
      },
    };
    await applyIfChanged(client, PODS, body, undefined, OPTIONS);
    const written = async () => (await applyIfChanged(client, PODS, body, await read(PODS, body), OPTIONS)).written;
    expect([await written(), await written(), await written()]).toEqual([true, false, false]);
    await cluster.client.mergePatch(PODS, body.metadata, { metadata: { labels: { any: "change" } } });
    expect([await written(), await written()]).toEqual([true, false]);
  });

  it("is a conflict when the object is gone or another of its name took its place", async () => {
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: meta(), data: { a: "1" } };
    const { object: live } = await applyIfChanged(client, CONFIG_MAPS, body, undefined, OPTIONS);
    const next = { ...body, data: { a: "2" } };
    await cluster.client.delete(CONFIG_MAPS, body.metadata);
    await expect(applyIfChanged(client, CONFIG_MAPS, next, live, OPTIONS)).rejects.toSatisfy(isConflict);
    await cluster.client.create(CONFIG_MAPS, { ...body, data: { theirs: "1" } });
    await expect(applyIfChanged(client, CONFIG_MAPS, next, live, OPTIONS)).rejects.toSatisfy(isConflict);
    expect((await read(CONFIG_MAPS, body)).data).toEqual({ theirs: "1" });
  });

  it("refuses what it could never compare", async () => {
    const body = { apiVersion: "v1", kind: "Secret", metadata: meta(), stringData: { a: "1" } };
    await expect(applyIfChanged(client, SECRETS, body, undefined, OPTIONS)).rejects.toThrow("not stringData");
  });
});

/** Bodies as an operator builds them, with values the server writes in another way. */
function children(meta: () => { name: string; namespace: string }): [ResourceType<KubeObject>, KubeObject][] {
  const secret: Secret = { apiVersion: "v1", kind: "Secret", metadata: meta(), type: "Opaque", data: { k: "dg==" } };
  const service: Service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { ...meta(), labels: { a: "b" } },
    spec: { selector: { a: "b" }, ports: [{ name: "http", port: 80, targetPort: "http" }] },
  };
  const claim: PersistentVolumeClaim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: meta(),
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1024Mi" } } },
  };
  const list: [ResourceType<never>, KubeObject][] = [
    [SECRETS as ResourceType<never>, secret],
    [SERVICES as ResourceType<never>, service],
    [PERSISTENT_VOLUME_CLAIMS as ResourceType<never>, claim],
    [NETWORK_POLICIES as ResourceType<never>, networkPolicy(meta())],
    [PODS as ResourceType<never>, pod(meta())],
  ];
  return list as [ResourceType<KubeObject>, KubeObject][];
}

function networkPolicy(metadata: { name: string; namespace: string }): NetworkPolicy {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { ...metadata, labels: { mine: "yes" } },
    spec: {
      podSelector: { matchLabels: { a: "b" } },
      policyTypes: ["Ingress", "Egress"],
      ingress: [],
      egress: [{ to: [{ namespaceSelector: {} }], ports: [{ protocol: "UDP", port: 53 }] }],
    },
  };
}

function pod(metadata: { name: string; namespace: string }): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: {
      automountServiceAccountToken: false,
      hostNetwork: false,
      containers: [
        {
          name: "main",
          image: "example.invalid/image:1",
          args: [],
          env: [{ name: "A", value: "" }],
          resources: { requests: { cpu: "0.5", memory: "1024Mi" }, limits: { memory: "2048Mi" } },
          volumeMounts: [
            { name: "data", mountPath: "/a", subPath: "a", readOnly: false },
            { name: "data", mountPath: "/b", subPath: "b" },
          ],
        },
      ],
      volumes: [{ name: "data", emptyDir: { sizeLimit: "1024Mi" } }],
    },
  };
}
