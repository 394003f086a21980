import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createCgroups, joinFiles } from "./cgroups.ts";
import { importImage, prepareContainerd } from "./containerd.ts";
import { csiNodeArguments } from "./csi.ts";
import { toFlags } from "./flags.ts";
import type { Layout } from "./layout.ts";
import { createNamespaces, insideNetwork, killNamespaces, type Launched, launch, runScript } from "./namespaces.ts";
import { CONTROL_PLANE_IP, NODE_INDEXES, nodeIp, nodeName, podCidr } from "./network.ts";
import {
  KUBELET_DIR,
  renderCni,
  renderContainerdConfig,
  renderKubeletConfig,
  renderProxyConfig,
} from "./node-config.ts";
import type { ImageFile } from "./scratch-image.ts";
import { run } from "./shell.ts";
import type { Tools } from "./tools.ts";

/** What a node is made from. */
export interface NodeOptions {
  layout: Layout;
  tools: Tools;
  /** First process of the cluster. */
  init: number;
  index: number;
  images: readonly ImageFile[];
}

/** Values the kubelet wants to see, and else would write for the whole machine. */
const TUNABLES: Readonly<Record<string, string>> = {
  "kernel/panic": "10",
  "kernel/panic_on_oops": "1",
  "kernel/keys/root_maxkeys": "1000000",
  "kernel/keys/root_maxbytes": "25000000",
  "vm/overcommit_memory": "1",
  "vm/panic_on_oom": "0",
};

/** A node as far as it can go without an apiserver. */
export interface PreparedNode {
  index: number;
  /** Its first process. */
  pid: number;
  /** Aborts when its containerd ends. */
  ended: AbortSignal;
}

/** Makes the node's namespaces, its link and its containerd, and imports what images it lacks. */
export async function prepareNode(o: NodeOptions): Promise<PreparedNode> {
  const { layout, tools, index, init } = o;
  const dir = layout.nodeDir(index);
  await killNamespaces(layout.nodeId(index));
  await rm(join(dir, "kubelet"), { recursive: true, force: true });
  for (const folder of ["kubelet", "containerd", "pods", "cni"]) await mkdir(join(dir, folder), { recursive: true });
  await createCgroups(layout.id, [nodeName(index)]);
  const log = layout.log(nodeName(index));
  const pid = await createNamespaces({ capsule: tools.capsule, id: layout.nodeId(index), log, parent: init });
  await Promise.all([runScript(pid, privateFolders(dir)), plugIn(init, pid, index)]);
  const config = join(dir, "containerd.toml");
  const cniDir = join(dir, "cni");
  await writeFile(join(cniDir, "10-hatchery.conflist"), renderCni(index));
  const { registriesDir } = layout;
  await writeFile(config, renderContainerdConfig({ pauseImage: tools.pauseImage.ref, cniDir, registriesDir }));
  const { ended } = start(o, pid, "containerd", ["containerd", "--config", config]);
  await prepareContainerd(pid, ended);
  for (const image of [tools.pauseImage, ...o.images]) await importImage(pid, image);
  return { index, pid, ended };
}

/**
 * Starts what needs the apiserver: kubelet, kube-proxy, the policy enforcer and the storage driver. The signal aborts
 * when one of the node's processes ends.
 */
export async function startNode(o: NodeOptions, { pid, ended }: PreparedNode): Promise<AbortSignal> {
  const { layout, tools, index } = o;
  const dir = layout.nodeDir(index);
  const kubeletConfig = join(dir, "kubelet.json");
  const proxyConfig = join(dir, "kube-proxy.json");
  const clientCa = join(layout.pkiDir, "ca.crt");
  await writeFile(kubeletConfig, renderKubeletConfig({ cgroupRoot: `/${layout.id}/${nodeName(index)}`, clientCa }));
  const proxyKubeconfig = layout.componentKubeconfig("kube-proxy");
  await writeFile(proxyConfig, renderProxyConfig({ index, kubeconfig: proxyKubeconfig }));
  const kubelet = toFlags({
    config: kubeletConfig,
    kubeconfig: layout.componentKubeconfig(nodeName(index)),
    "hostname-override": nodeName(index),
    "node-ip": nodeIp(index),
    "root-dir": KUBELET_DIR,
    "cert-dir": join(KUBELET_DIR, "pki"),
  });
  const netpol = toFlags({ kubeconfig: layout.componentKubeconfig("netpol"), node: nodeName(index) });
  const csi = csiNodeArguments({ binDir: tools.csiDir, volumesDir: layout.volumesDir, index });
  return AbortSignal.any([
    ended,
    start(o, pid, "kubelet", [tools.kube, "kubelet", ...kubelet]).ended,
    start(o, pid, "kube-proxy", [tools.kube, "kube-proxy", `--config=${proxyConfig}`]).ended,
    start(o, pid, "netpol", [tools.kube, "netpol", ...netpol]).ended,
    start(o, pid, "csi", csi).ended,
  ]);
}

function start({ layout, index }: NodeOptions, pid: number, component: string, argv: readonly string[]): Launched {
  const log = layout.log(`${nodeName(index)}-${component}`);
  return launch({ pid, argv, log, cgroups: joinFiles(layout.id, "system") });
}

/**
 * Gives the node its own copy of every folder whose path is fixed, and its own view of the machine's tunables. All of
 * it is shared within the node, so that mounts of the storage driver reach the pods.
 */
function privateFolders(dir: string): string {
  const tunables = Object.entries(TUNABLES).map(
    ([name, value]) => `echo ${value} > /run/tunables/${name.replaceAll("/", ".")}
[ ! -e /proc/sys/${name} ] || mount --bind /run/tunables/${name.replaceAll("/", ".")} /proc/sys/${name}`,
  );
  return `
mkdir -p /var/lib/cni /var/lib/containerd ${KUBELET_DIR} /var/log/pods /var/log/containers
for folder in /run /var/lib/cni /var/log/containers; do mount -t tmpfs -o mode=755 tmpfs $folder; done
mount --bind ${dir}/containerd /var/lib/containerd
mount --bind ${dir}/kubelet ${KUBELET_DIR}
mount --bind ${dir}/pods /var/log/pods
mkdir -p /run/netns /run/containerd /run/tunables
${tunables.join("\n")}
mount --make-rshared /
`;
}

/** Links the node to the control plane's bridge and tells it where the other nodes' pods are. */
async function plugIn(init: number, pid: number, index: number): Promise<void> {
  const port = nodeName(index);
  // A link of a node that was killed vanishes with its namespace, but not at once.
  await run(insideNetwork(init, ["sh", "-c", `ip link del ${port} 2>/dev/null || true`]));
  await run(
    insideNetwork(init, ["ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", String(pid)]),
  );
  await run(insideNetwork(init, ["ip", "link", "set", port, "master", "br0", "up"]));
  const others = NODE_INDEXES.filter((other) => other !== index);
  await runScript(
    pid,
    `
echo ${nodeName(index)} > /proc/sys/kernel/hostname
ip link set lo up
ip address add ${nodeIp(index)}/24 dev eth0
ip link set eth0 up
ip route add default via ${CONTROL_PLANE_IP}
${others.map((other) => `ip route add ${podCidr(other)} via ${nodeIp(other)}`).join("\n")}
echo 1 > /proc/sys/net/ipv4/ip_forward
`,
  );
}
