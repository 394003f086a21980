import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { joinFiles } from "./cgroups.ts";
import { importImage } from "./containerd.ts";
import { openDoor } from "./door.ts";
import { createKubectl, type Kubectl } from "./kubectl.ts";
import type { Layout } from "./layout.ts";
import { withLock } from "./lock.ts";
import { findInit, findInits, inside, killNamespaces, launch } from "./namespaces.ts";
import { MAX_NODES, NODE_INDEXES, nodeName } from "./network.ts";
import { prepareNode, startNode } from "./node.ts";
import { letOut, type Outside } from "./outside.ts";
import type { ClusterRecord } from "./record.ts";
import { routeServices } from "./route.ts";
import type { ImageFile } from "./scratch-image.ts";
import { run } from "./shell.ts";
import { waitFor } from "./wait.ts";

/** A running cluster. */
export interface Cluster extends Kubectl {
  name: string;
  /** Folder of its state and logs. */
  dir: string;
  /** Kubeconfig with all rights, for the host. */
  kubeconfig: string;
  /** Paths of executables. */
  kubectlPath: string;
  helmPath: string;
  /** Audit log (JSON lines), when the cluster was started with one. */
  auditLog?: string;
  /** Runs helm and gives its output. */
  helm(...args: string[]): Promise<string>;
  /**
   * Opens a port on 127.0.0.1 that leads to `NAMESPACE/SERVICE:PORT` (number or name) or `IP:PORT` inside, and gives it.
   * It stays open as long as the cluster runs; asking again gives the same port.
   */
  openDoor(target: string): Promise<number>;
  /** Lets pods out to one service of this machine or beyond, see `Outside`; without one to none any more. */
  letOut(outside?: Outside): Promise<void>;
  /** Makes an image known to all nodes; one they have already costs nothing. */
  importImage(image: ImageFile): Promise<void>;
  /** The command that runs `argv` inside: in the control plane's namespaces, or in those of a node (from 1). */
  command(argv: readonly string[], node?: number): Promise<string[]>;
  /** Runs a command inside and gives its output. */
  enter(argv: readonly string[], node?: number): Promise<string>;
  /** Starts a process that lives as long as the cluster, in the control plane's namespaces; its log is `NAME.log`. */
  launch(name: string, argv: readonly string[]): void;
  /** Ends a node with everything on it, as when its machine loses power. */
  killNode(index: number): Promise<void>;
  /** Starts a node that was killed, or a further one, and waits until it is ready. */
  startNode(index: number): Promise<void>;
  /** Lets nodes pull images named `host/...` by plain HTTP from `address` (HOST:PORT inside). */
  useRegistry(host: string, address: string): Promise<void>;
}

/** The handle of a cluster that started whole. */
export function createHandle({ layout, record }: { layout: Layout; record: ClusterRecord }): Cluster {
  const { init, tools } = record;
  const { kubeconfig, dir } = layout;
  const client = createKubectl(tools.kubectl, kubeconfig);
  const liveNodes = async () => {
    const inits = await findInits();
    return NODE_INDEXES.map((index) => inits.get(layout.nodeId(index))).filter((pid) => pid !== undefined);
  };
  const command = async (argv: readonly string[], node?: number) => {
    const pid = node === undefined ? init : await findInit(layout.nodeId(checkIndex(node)));
    if (pid === undefined) throw new Error(`${nodeName(node ?? 0)} does not run`);
    return inside(pid, argv);
  };
  const door = { capsule: tools.capsule, init, dir };
  return {
    ...client,
    name: layout.name,
    dir,
    kubeconfig,
    kubectlPath: tools.kubectl,
    helmPath: tools.helm,
    ...(record.audit ? { auditLog: join(layout.logDir, "audit.log") } : {}),
    helm: (...args) => run([tools.helm, "--kubeconfig", kubeconfig, ...args]),
    openDoor: async (target) => openDoor(door, await resolve(client, target)),
    letOut: (outside) => letOut(layout, door, outside),
    importImage: async (image) => {
      for (const pid of await liveNodes()) await importImage(pid, image);
    },
    command,
    enter: async (argv, node) => run(await command(argv, node)),
    launch: (name, argv) => {
      launch({ pid: init, argv, log: layout.log(name), cgroups: joinFiles(layout.id, "system") });
    },
    killNode: (index) =>
      withLock(layout.lockFile, async () => {
        await killNamespaces(layout.nodeId(checkIndex(index)));
        await routeServices(layout, init);
      }),
    startNode: (index) =>
      withLock(layout.lockFile, async () => {
        const options = { layout, tools, init, index: checkIndex(index), images: [] };
        const signal = await startNode(options, await prepareNode(options));
        await routeServices(layout, init);
        const ready = ["wait", "--for=condition=Ready", "--timeout=5s", `node/${nodeName(index)}`];
        await waitFor(nodeName(index), () => client.kubectl(...ready), { signal });
      }),
    useRegistry: (host, address) => trustRegistry(layout, host, address),
  };
}

function checkIndex(index: number): number {
  if (Number.isInteger(index) && index >= 1 && index <= MAX_NODES) return index;
  throw new Error(`node ${index}: expected 1 to ${MAX_NODES}`);
}

/** IP:PORT stays; NAMESPACE/SERVICE:PORT becomes the Service's address and port number. */
async function resolve(client: Kubectl, target: string): Promise<string> {
  const match = /^([^/]+)\/([^/:]+):([^/:]+)$/.exec(target);
  if (match === null) return target;
  const [, namespace = "", service = "", port = ""] = match;
  const output = ["--namespace", namespace, "--output", "json"];
  const { spec } = JSON.parse(await client.kubectl("get", "service", service, ...output)) as ServiceSpec;
  const found = spec.ports.find((candidate) => candidate.name === port || String(candidate.port) === port);
  if (found === undefined) throw new Error(`service ${namespace}/${service} has no port ${port}`);
  return `${spec.clusterIP}:${found.port}`;
}

interface ServiceSpec {
  spec: { clusterIP: string; ports: { name?: string; port: number }[] };
}

/** containerd reads these files at every pull, so nothing has to be restarted. */
async function trustRegistry(layout: Layout, host: string, address: string): Promise<void> {
  const folder = join(layout.registriesDir, host);
  await mkdir(folder, { recursive: true });
  const url = `http://${address}`;
  const lines = [`server = "${url}"`, `[host."${url}"]`, '  capabilities = ["pull", "resolve"]'];
  await writeFile(join(folder, "hosts.toml"), `${lines.join("\n")}\n`);
}
