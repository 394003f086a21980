import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Api, connectApi } from "./api.ts";
import { createCgroups, removeCgroups } from "./cgroups.ts";
import { createCredentials } from "./credentials.ts";
import { STORAGE_MANIFESTS } from "./csi.ts";
import { dnsManifests } from "./dns.ts";
import { awaitClosedDoors, openDoor } from "./door.ts";
import { type Cluster, createHandle } from "./handle.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { clusterLayout, type Layout } from "./layout.ts";
import { withLock } from "./lock.ts";
import { createNetwork, type MasterOptions, startApiserver, startControllers } from "./master.ts";
import { createNamespaces, findInit, findInits, killNamespaces } from "./namespaces.ts";
import { API_PORT, CONTROL_PLANE_IP, MAX_NODES, NODE_INDEXES, nodeName } from "./network.ts";
import { prepareNode, startNode } from "./node.ts";
import { writeNames } from "./outside.ts";
import { step } from "./progress.ts";
import { readRecord, removeRecord, writeRecord } from "./record.ts";
import { routeServices } from "./route.ts";
import type { ImageFile } from "./scratch-image.ts";
import { run } from "./shell.ts";
import { ensureTools, type Tools } from "./tools.ts";
import { waitFor } from "./wait.ts";

export type { Cluster } from "./handle.ts";

/** How to start a cluster. */
export interface ClusterOptions {
  /** Distinguishes clusters on one machine. */
  name: string;
  /** Number of nodes; 1 by default. */
  nodes?: number;
  /** Images every node knows without a registry. */
  images?: readonly ImageFile[];
  /** Write an audit log of every request. */
  audit?: boolean;
  /** How long a silent node counts as ready, in seconds; 40 by default. Tests of lost nodes take less. */
  nodeGraceSeconds?: number;
}

/**
 * Starts a cluster that outlives this process, or takes the one of that name that runs already (its images are brought
 * up to date, nothing else). It is reached from the host through loopback ports only.
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { name, nodes = 1, images = [] } = options;
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MAX_NODES) throw new Error(`nodes: expected 1 to ${MAX_NODES}`);
  const layout = clusterLayout(name);
  const tools = await ensureTools();
  return withLock(layout.lockFile, async () => {
    const running = await connect(layout);
    if (running) {
      for (const image of images) await running.importImage(image);
      return running;
    }
    await clear(layout);
    try {
      return await step(`start cluster ${name}`, () => start(layout, tools, { ...options, nodes, images }));
    } catch (error) {
      await clear(layout);
      throw error;
    }
  });
}

/** The running cluster of that name, or undefined. */
export function findCluster(name: string): Promise<Cluster | undefined> {
  return connect(clusterLayout(name));
}

/** A record is written when the start is through: what runs without one was left half started. */
async function connect(layout: Layout): Promise<Cluster | undefined> {
  const init = await findInit(layout.id);
  const record = await readRecord(layout);
  if (init === undefined || record?.init !== init) return undefined;
  return createHandle({ layout, record });
}

/**
 * Ends everything of a cluster; its volumes go with it. The images its nodes know stay for the next start, unless
 * `purge` asks for every file to go. Fine when it does not run.
 */
export async function stopCluster(name: string, { purge = false }: { purge?: boolean } = {}): Promise<void> {
  const layout = clusterLayout(name);
  await withLock(layout.lockFile, async () => {
    await clear(layout);
    if (purge) await rm(layout.dir, { recursive: true, force: true });
  });
}

/** What is known about a cluster without asking its apiserver. */
export interface ClusterStatus {
  name: string;
  running: boolean;
  /** Names of the nodes whose processes exist. */
  nodes: string[];
  dir: string;
}

/** Looks at a cluster's processes. */
export async function clusterStatus(name: string): Promise<ClusterStatus> {
  const layout = clusterLayout(name);
  const inits = await findInits();
  const nodes = NODE_INDEXES.filter((index) => inits.has(layout.nodeId(index))).map(nodeName);
  return { name, running: inits.has(layout.id), nodes, dir: layout.dir };
}

async function clear(layout: Layout): Promise<void> {
  await killNamespaces(layout.id);
  await awaitClosedDoors(layout.dir);
  await removeCgroups(layout.id);
  // The kernel takes a dead namespace apart in the background; loop devices are the last to go.
  await waitFor("release of the volumes", async () => !(await run(["losetup", "--list"])).includes(`${layout.dir}/`));
  await removeRecord(layout);
  for (const folder of ["etcd", "volumes", "log"]) await rm(join(layout.dir, folder), { recursive: true, force: true });
}

async function start(layout: Layout, tools: Tools, options: ClusterOptions & { nodes: number }): Promise<Cluster> {
  const { dir, id, kubeconfig } = layout;
  for (const folder of [dir, layout.logDir, layout.volumesDir, layout.registriesDir]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  await writeNames(layout, "");
  const credentials = await createCredentials(layout);
  await createCgroups(id, ["system"]);
  const init = await createNamespaces({ capsule: tools.capsule, id, log: layout.log("init") });
  await createNetwork(init);
  const audit = options.audit ?? false;
  const master: MasterOptions = {
    layout,
    tools,
    credentials,
    init,
    audit,
    nodeGraceSeconds: options.nodeGraceSeconds ?? 40,
  };
  const apiserver = await startApiserver(master);
  const indexes = NODE_INDEXES.slice(0, options.nodes);
  const nodeOptions = (index: number) => ({ layout, tools, init, index, images: options.images ?? [] });
  const prepared = Promise.all(indexes.map((index) => prepareNode(nodeOptions(index))));
  prepared.catch(() => undefined); // awaited below; until then a failure must not count as unhandled
  const port = await openDoor({ capsule: tools.capsule, init, dir }, `${CONTROL_PLANE_IP}:${API_PORT}`);
  const url = `https://127.0.0.1:${port}`;
  await writeKubeconfig(kubeconfig, layout.pkiDir, url, credentials.adminToken);
  const api = await connectApi({ url, token: credentials.adminToken, ca: join(layout.pkiDir, "ca.crt") });
  await api.ready(apiserver);
  const dns = dnsManifests({ image: tools.pauseImage.ref, kube: tools.kube, namesDir: layout.namesDir });
  const manifests = [...STORAGE_MANIFESTS, ...dns];
  const [controllers, nodes] = await Promise.all([
    startControllers(master),
    prepared.then((all) => Promise.all(all.map((node) => startNode(nodeOptions(node.index), node)))),
    ...manifests.map(({ path, object }) => api.create(path, object)),
  ]);
  await routeServices(layout, init);
  const signal = AbortSignal.any([apiserver, controllers, ...nodes]);
  await waitFor("nodes and DNS", () => isReady(api, options.nodes), { signal });
  const record = { init, nodes: options.nodes, audit, tools };
  await writeRecord(layout, record);
  return createHandle({ layout, record });
}

/** All nodes take pods, names resolve, and pods may be created in `default`. */
async function isReady(api: Api, wanted: number): Promise<boolean> {
  const nodes = await getStatus(api, "/api/v1/nodes");
  const ready = (nodes.items ?? []).filter(({ status }) =>
    status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True"),
  );
  if (ready.length < wanted) return false;
  const dns = await getStatus(api, "/apis/apps/v1/namespaces/kube-system/deployments/coredns");
  if (!dns.status?.readyReplicas) return false;
  return (await api.get("/api/v1/namespaces/default/serviceaccounts/default")) !== undefined;
}

interface Status {
  status?: { readyReplicas?: number; conditions?: { type: string; status: string }[] };
}

async function getStatus(api: Api, path: string): Promise<Status & { items?: Status[] }> {
  return JSON.parse((await api.get(path)) ?? "{}") as Status & { items?: Status[] };
}
