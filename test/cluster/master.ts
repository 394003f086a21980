import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { joinFiles } from "./cgroups.ts";
import { apiserverArguments, controllerManagerArguments, etcdArguments, prepareAudit } from "./components.ts";
import type { Credentials } from "./credentials.ts";
import { csiControllerArguments } from "./csi.ts";
import { toFlags } from "./flags.ts";
import type { Layout } from "./layout.ts";
import { launch, runScript } from "./namespaces.ts";
import { API_PORT, CONTROL_PLANE_IP, NODE_INDEXES, nodeIp, OUTSIDE_IP, podCidr } from "./network.ts";
import type { Tools } from "./tools.ts";

/** What the processes beside the nodes are made from. */
export interface MasterOptions {
  layout: Layout;
  tools: Tools;
  credentials: Credentials;
  /** First process of the cluster. */
  init: number;
  audit: boolean;
  nodeGraceSeconds: number;
}

/** A cluster may stand for weeks: its audit log is this file, in megabytes, and the one before it. */
const AUDIT_LIMITS = { "audit-log-maxsize": 256, "audit-log-maxbackup": 1 };

/** Bridge and routes of the control plane's network. Services are reached through a node, see `routeServices`. */
export async function createNetwork(init: number): Promise<void> {
  await runScript(
    init,
    `
mount -t tmpfs -o mode=755 tmpfs /run
mount --make-rshared /
echo control-plane > /proc/sys/kernel/hostname
echo 1 > /proc/sys/net/ipv4/ip_forward
ip link set lo up
ip link add br0 type bridge
ip address add ${CONTROL_PLANE_IP}/24 dev br0
ip address add ${OUTSIDE_IP}/32 dev br0
ip link set br0 up
${NODE_INDEXES.map((index) => `ip route add ${podCidr(index)} via ${nodeIp(index)}`).join("\n")}
`,
  );
}

/** Starts etcd and the apiserver; the signal aborts when one of them ends. */
export async function startApiserver(o: MasterOptions): Promise<AbortSignal> {
  const { layout } = o;
  const dataDir = join(layout.dir, "etcd");
  await rm(dataDir, { recursive: true, force: true });
  const [etcdUrl, peerUrl] = ["http://127.0.0.1:2379", "http://127.0.0.1:2380"];
  const audit = o.audit ? { audit: await prepareAudit(layout.logDir) } : {};
  const extra = toFlags({
    "kubelet-preferred-address-types": "InternalIP",
    "kubelet-client-certificate": join(layout.pkiDir, "kubelet-client.crt"),
    "kubelet-client-key": join(layout.pkiDir, "kubelet-client.key"),
    ...(o.audit ? AUDIT_LIMITS : {}),
  });
  const apiserver = apiserverArguments({
    etcdUrl,
    bindAddress: "0.0.0.0",
    advertiseAddress: CONTROL_PLANE_IP,
    port: API_PORT,
    pkiDir: layout.pkiDir,
    tokenFile: o.credentials.tokenFile,
    ...audit,
    extra,
  });
  return AbortSignal.any([start(o, etcdArguments({ dataDir, clientUrl: etcdUrl, peerUrl })), start(o, apiserver)]);
}

/** Starts what needs the apiserver to be ready: controllers, scheduler and the storage controller. */
export async function startControllers(o: MasterOptions): Promise<AbortSignal> {
  const { layout, tools } = o;
  const schedulerConfig = join(layout.dir, "kube-scheduler.json");
  await writeFile(schedulerConfig, renderSchedulerConfig(layout.componentKubeconfig("kube-scheduler")));
  const kubeconfig = layout.componentKubeconfig("kube-controller-manager");
  const extra = toFlags({ "node-monitor-period": "1s", "node-monitor-grace-period": `${o.nodeGraceSeconds}s` });
  const csi = csiControllerArguments({
    binDir: tools.csiDir,
    volumesDir: layout.volumesDir,
    kubeconfig: layout.componentKubeconfig("csi"),
  });
  return AbortSignal.any([
    start(o, controllerManagerArguments({ kubeconfig, pkiDir: layout.pkiDir, extra })),
    start(o, ["kube-scheduler", `--config=${schedulerConfig}`]),
    ...csi.map((argv) => startProgram(o, argv)),
  ]);
}

function renderSchedulerConfig(kubeconfig: string): string {
  return JSON.stringify({
    apiVersion: "kubescheduler.config.k8s.io/v1",
    kind: "KubeSchedulerConfiguration",
    leaderElection: { leaderElect: false },
    clientConnection: { kubeconfig, qps: 500, burst: 1000 },
  });
}

/** Starts a component of the multi-call binary. */
function start(o: MasterOptions, argv: readonly string[]): AbortSignal {
  return startProgram(o, [o.tools.kube, ...argv], argv[0]);
}

function startProgram(o: MasterOptions, argv: readonly string[], name = argv[0]?.split("/").at(-1) ?? ""): AbortSignal {
  const log = o.layout.log(name);
  return launch({ pid: o.init, argv, log, cgroups: joinFiles(o.layout.id, "system") }).ended;
}
