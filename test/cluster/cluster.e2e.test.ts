import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Cluster, clusterStatus, findCluster, startCluster, stopCluster } from "#test/cluster/cluster.ts";
import { clusterLayout } from "#test/cluster/layout.ts";
import { ensureProbeImage } from "#test/cluster/probe.ts";
import { waitFor as waitForAny } from "#test/cluster/wait.ts";
import { findTraces, type HostSnapshot, snapshotHost } from "#test/harness/host-snapshot.ts";
import { probe, probePod, startPods } from "#test/harness/probe-pod.ts";

/** Every look is a kubectl here, which is work for the machine. */
const waitFor: typeof waitForAny = (what, check) => waitForAny(what, check, { everyMs: 500 });

const NAME = `cluster-test-${process.pid}`;
const layout = clusterLayout(NAME);
let cluster: Cluster;
let image: string;
let before: HostSnapshot;

beforeAll(async () => {
  before = await snapshotHost();
  const probeImage = await ensureProbeImage();
  image = probeImage.ref;
  cluster = await startCluster({ name: NAME, nodes: 2, images: [probeImage], audit: true, nodeGraceSeconds: 20 });
});

afterAll(() => stopCluster(NAME, { purge: true }));

async function createNamespace(name: string, labels: Record<string, string> = {}): Promise<string> {
  await cluster.apply(JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } }));
  await waitFor(`ServiceAccount of ${name}`, () => cluster.kubectl("get", "serviceaccount", "default", "-n", name));
  return name;
}

function claim(namespace: string, name: string, storage: string): string {
  const spec = { accessModes: ["ReadWriteOncePod"], resources: { requests: { storage } } };
  return JSON.stringify({ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { namespace, name }, spec });
}

/** The scheduler has to choose the node, since it is its choice that makes a volume. */
const onNode = (name: string) => ({ nodeSelector: { "kubernetes.io/hostname": name } });

describe("volumes", () => {
  it("belong to the pod's group, have a real size, and grow in use", async () => {
    const namespace = await createNamespace("volumes");
    const pod = { namespace, name: "writer" };
    await cluster.apply(claim(namespace, "data", "320Mi"));
    await startPods(cluster, [{ ...pod, image, claim: "data" }]);
    expect((await probe(cluster, pod, "stat", "/data")).text).toMatch(/^0 1000 .*rwxrwx/);
    const full = await probe(cluster, pod, "write", "/data/big", "400");
    expect(full.ok).toBe(false);
    expect(full.text).toContain("no space left on device");

    await cluster.apply(claim(namespace, "data", "640Mi"));
    const capacity = ["get", "pvc", "data", "-n", namespace, "-o", "jsonpath={.status.capacity.storage}"];
    await waitFor("the larger volume", async () => (await cluster.kubectl(...capacity)) === "640Mi");
    expect(await probe(cluster, pod, "write", "/data/big", "400")).toEqual({ ok: true, text: "400" });
  });

  it("follow their pod to another node and go with their claim", async () => {
    const namespace = await createNamespace("moving");
    const pod = { namespace, name: "mover" };
    await cluster.apply(claim(namespace, "data", "300Mi"));
    await startPods(cluster, [{ ...pod, image, claim: "data", spec: onNode("node1") }]);
    await probe(cluster, pod, "write", "/data/kept", "7");
    await cluster.kubectl("delete", "pod", pod.name, "-n", namespace);
    await startPods(cluster, [{ ...pod, image, claim: "data", spec: onNode("node2") }]);
    expect((await probe(cluster, pod, "stat", "/data/kept")).ok).toBe(true);

    const volume = await cluster.kubectl("get", "pvc", "data", "-n", namespace, "-o", "jsonpath={.spec.volumeName}");
    await cluster.kubectl("delete", "namespace", namespace);
    await cluster.kubectl("wait", "--for=delete", "--timeout=60s", `pv/${volume}`);
    await expect(readFile(`${layout.volumesDir}/${volume}.img`)).rejects.toThrow("ENOENT");
  });
});

describe("policies", () => {
  it("refuse a pod that breaks the restricted standard, with every reason", async () => {
    const namespace = await createNamespace("restricted", { "pod-security.kubernetes.io/enforce": "restricted" });
    await startPods(cluster, [{ namespace, name: "good", image }]);
    const bad = probePod({ namespace, name: "bad", image, spec: { securityContext: {}, hostNetwork: true } });
    await expect(cluster.apply(JSON.stringify(bad))).rejects.toThrow(/host namespaces.*runAsNonRoot.*seccompProfile/s);
  });

  it("isolate pods from each other, from the apiserver and from every address but the allowed", async () => {
    const namespace = await createNamespace("isolated");
    const names = ["a", "b", "free"];
    await startPods(
      cluster,
      names.map((name) => ({ namespace, name, image })),
    );
    const ip = (name: string) => cluster.kubectl("get", "pod", name, "-n", namespace, "-o", "jsonpath={.status.podIP}");
    const [a, b] = [`${await ip("a")}:8080`, `${await ip("b")}:8080`];
    const reaches = async (name: string, address: string) =>
      (await probe(cluster, { namespace, name }, "connect", address)).ok;
    // Something answers at the metadata address, as it does in a cloud.
    await cluster.enter(["ip", "address", "add", "169.254.169.254/32", "dev", "br0"]);
    const [metadata, apiserver] = ["169.254.169.254:6443", "10.96.0.1:443"];
    for (const address of [a, b, metadata, apiserver])
      expect([address, await reaches("free", address)]).toEqual([address, true]);

    await cluster.apply(JSON.stringify(isolation(namespace)));
    await waitFor("the policy", async () => !(await reaches("free", a)));
    expect(await reaches("a", b)).toBe(true);
    for (const address of [metadata, apiserver, a])
      expect([address, await reaches("b", address)]).toEqual([address, false]);
    const name = "kube-dns.kube-system.svc.cluster.local."; // absolute: no search list to wait for
    expect(await probe(cluster, { namespace, name: "a" }, "resolve", name)).toEqual({ ok: true, text: "10.96.0.10" });
    expect((await probe(cluster, { namespace, name: "b" }, "resolve", name)).ok).toBe(false);
    expect(await reaches("free", apiserver)).toBe(true);
  });
});

/** `a` may ask DNS and talk to `b`; `b` may do nothing. */
function isolation(namespace: string): object {
  const policy = (name: string, spec: object) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { namespace, name },
    spec: { podSelector: { matchLabels: { app: name } }, policyTypes: ["Ingress", "Egress"], ...spec },
  });
  const dns = {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
    podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
  };
  const pod = (app: string) => ({ podSelector: { matchLabels: { app } } });
  const items = [
    policy("a", {
      egress: [
        { to: [dns], ports: [{ port: 53, protocol: "UDP" }] },
        { to: [pod("b")], ports: [{ port: 8080 }] },
      ],
    }),
    policy("b", { ingress: [{ from: [pod("a")] }] }),
  ];
  return { apiVersion: "v1", kind: "List", items };
}

/** A server on a loopback port of this machine that answers with its name and with what it was called. */
async function serveOnLoopback(name: string): Promise<AsyncDisposable & { port: number }> {
  const server = createServer((request, response) => {
    response.setHeader("connection", "close");
    response.end(`${name}: ${request.headers.host}`);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: () => new Promise((resolve) => void server.close(() => resolve())) };
}

describe("services", () => {
  it("are found by name inside and through a door from this machine; logs and exec work", async () => {
    const namespace = await createNamespace("services");
    const pod = { namespace, name: "server" };
    await startPods(cluster, [
      { ...pod, image },
      { namespace, name: "client", image },
    ]);
    await cluster.kubectl("expose", "pod", "server", "-n", namespace, "--port=80", "--target-port=8080");
    const url = `http://server.${namespace}.svc.cluster.local`;
    const ask = () => probe(cluster, { namespace, name: "client" }, "get", `${url}/inside`);
    expect(await waitFor("the service", async () => (await ask()).ok && ask())).toEqual({ ok: true, text: "server" });

    const port = await cluster.openDoor(`${namespace}/server:80`);
    expect(await cluster.openDoor(`${namespace}/server:80`)).toBe(port);
    expect(await (await fetch(`http://127.0.0.1:${port}/outside`)).text()).toBe("server\n");
    expect(await cluster.kubectl("logs", "server", "-n", namespace)).toBe(
      "serving\nGET /inside\nGET /inside\nGET /outside\n",
    );
  });

  it("refuses names outside the cluster at once", async () => {
    const namespace = await createNamespace("names");
    await startPods(cluster, [{ namespace, name: "asker", image }]);
    expect((await probe(cluster, { namespace, name: "asker" }, "resolve", "example.com")).ok).toBe(false);
  });

  it("may be one outside, by the name and port it is given, for as long as it is let", async () => {
    const namespace = await createNamespace("outside");
    const pod = { namespace, name: "asker" };
    await startPods(cluster, [{ ...pod, image }]);
    await using first = await serveOnLoopback("first");
    await using second = await serveOnLoopback("second");
    const ask = (name: string, port: number) => probe(cluster, pod, "get", `http://${name}:${port}/`);
    const reach = (name: string, { port }: { port: number }) =>
      waitFor(name, async () => (await ask(name, port)).ok && ask(name, port));

    await cluster.letOut({ name: "models.example.com", target: `localhost:${first.port}` });
    expect(await reach("models.example.com", first)).toEqual({
      ok: true,
      text: `first: models.example.com:${first.port}`,
    });
    expect((await ask("models.example.com", second.port)).ok).toBe(false);
    expect((await ask("other.example.com", first.port)).ok).toBe(false);

    await cluster.letOut({ name: "more.example.com", target: `127.0.0.1:${second.port}` });
    expect((await reach("more.example.com", second)).text).toContain("second: more.example.com");
    expect((await ask("10.200.0.2", first.port)).ok).toBe(false);
    await cluster.letOut();
    expect((await ask("10.200.0.2", second.port)).ok).toBe(false);
  });
});

describe("the cluster", () => {
  it("writes who asked for what into its audit log", async () => {
    await cluster.kubectl("get", "configmap", "audited", "--ignore-not-found");
    const lines = (await readFile(cluster.auditLog ?? "", "utf8")).trim().split("\n");
    const entries = lines.map(
      (line) => JSON.parse(line) as { objectRef?: { name?: string }; user: { username: string }; userAgent: string },
    );
    const ours = entries.find((entry) => entry.objectRef?.name === "audited");
    expect(ours?.user.username).toBe("admin");
    expect(ours?.userAgent).toMatch(/^kubectl\//);
  });

  it("loses a node and takes it back; a second start changes nothing", async () => {
    await cluster.killNode(2);
    const ready = ["get", "node", "node2", "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'];
    await waitFor("the loss to be noticed", async () => (await cluster.kubectl(...ready)) === "Unknown");
    expect((await clusterStatus(NAME)).nodes).toEqual(["node1"]);
    await cluster.startNode(2);
    expect(await cluster.kubectl(...ready)).toBe("True");
    const again = await startCluster({ name: NAME, nodes: 2 });
    expect(again.kubeconfig).toBe(cluster.kubeconfig);
    expect(await again.kubectl("get", "namespace", "services", "-o", "name")).toBe("namespace/services\n");
  });

  it("changes nothing on the machine while it runs and leaves nothing when it is stopped", async () => {
    expect(await snapshotHost()).toEqual(before);
    expect(await findTraces({ id: layout.id, dir: layout.dir })).not.toEqual([]);
    await stopCluster(NAME);
    expect(await findTraces({ id: layout.id, dir: layout.dir })).toEqual([]);
    expect(await snapshotHost()).toEqual(before);
    expect(existsSync(cluster.auditLog ?? "")).toBe(false);
    expect(await clusterStatus(NAME)).toMatchObject({ running: false, nodes: [] });
    expect(await findCluster(NAME)).toBeUndefined();
  });
});
