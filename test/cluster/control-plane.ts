import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectApi } from "./api.ts";
import { ensureKubeBinaries, type KubeBinaries } from "./binaries.ts";
import { type Component, startComponent } from "./component.ts";
import {
  apiserverArguments,
  controllerManagerArguments,
  etcdArguments,
  prepareAudit,
  renderTokens,
} from "./components.ts";
import { toFlags } from "./flags.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { createKubectl, type Kubectl } from "./kubectl.ts";
import { APISERVER_NAMES, createPki } from "./pki.ts";
import { waitFor } from "./wait.ts";

/** A running apiserver with etcd and controllers, but no nodes: pods stay Pending unless a test writes their status. */
export interface ControlPlane extends Kubectl {
  /** Path of a kubeconfig with all rights. */
  kubeconfig: string;
  url: string;
  /** Pids by component: `etcd`, `kube-apiserver`, `kube-controller-manager`. */
  readonly pids: Readonly<Record<string, number>>;
  /** Path of the audit log (JSON lines, one for every request); only when asked for. */
  auditLog?: string;
  /** Ends all its processes and removes its files. */
  stop(): Promise<void>;
}

/** How to start a control plane. */
export interface ControlPlaneOptions {
  /** Write an audit log; `bodies` = with what writes sent and what they were answered. */
  audit?: boolean | "bodies";
  /** Folder for its files; a temporary one by default. */
  dir?: string;
  /** More flags for the apiserver. */
  apiserverFlags?: readonly string[];
  /** More flags for the controller manager. */
  controllerManagerFlags?: readonly string[];
  /** Installs kinds before the controllers start: later ones the garbage collector notices only after half a minute. */
  install?: (kubectl: Kubectl) => Promise<void>;
}

/** A port another process may take before we do: start again with new ones. */
const ATTEMPTS = 3;

/** Nodes are objects that tests write: nobody is to call them lost for their silence. */
const PATIENCE_WITH_NODES = { "node-startup-grace-period": "24h", "node-monitor-grace-period": "24h" };

/**
 * Starts etcd, kube-apiserver and kube-controller-manager on free loopback ports. All are children of this process and
 * end with it. Ready to use when this resolves: the default ServiceAccount exists, so pods may be created in `default`.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = await ensureKubeBinaries();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(binaries, options);
    } catch (error) {
      if (attempt === ATTEMPTS || !String(error).includes("address already in use")) throw error;
    }
  }
}

async function start(binaries: KubeBinaries, options: ControlPlaneOptions): Promise<ControlPlane> {
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), "hatchery-control-plane-")));
  const pkiDir = join(dir, "pki");
  const token = randomBytes(16).toString("hex");
  const [clientPort, peerPort, port] = await freePorts(3);
  const [etcdUrl, peerUrl, url] = [
    `http://127.0.0.1:${clientPort}`,
    `http://127.0.0.1:${peerPort}`,
    `https://127.0.0.1:${port}`,
  ];
  const tokenFile = join(dir, "tokens.csv");
  const components: Component[] = [];
  const spawn = (argv: readonly string[]) => {
    const component = startComponent([binaries.kube, ...argv], join(dir, `${argv[0]}.log`));
    components.push(component);
    return component;
  };
  const stop = async () => {
    await Promise.all(components.map((component) => component.kill()));
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await createPki(pkiDir, [{ name: "apiserver", commonName: "kube-apiserver", altNames: APISERVER_NAMES }]);
    const audit = options.audit ? await prepareAudit(dir, { bodies: options.audit === "bodies" }) : undefined;
    await writeFile(tokenFile, renderTokens([{ token, user: "admin", groups: ["system:masters"] }]), { mode: 0o600 });
    const kubeconfig = await writeKubeconfig(join(dir, "kubeconfig"), pkiDir, url, token);
    const etcd = spawn(etcdArguments({ dataDir: join(dir, "etcd"), clientUrl: etcdUrl, peerUrl }));
    const apiserver = spawn(
      apiserverArguments({
        etcdUrl,
        bindAddress: "127.0.0.1",
        advertiseAddress: "127.0.0.1",
        port: port ?? 0,
        pkiDir,
        tokenFile,
        ...(audit ? { audit } : {}),
        // An advertised loopback address is refused as an endpoint of the Service `kubernetes`; nobody needs one here.
        extra: ["--endpoint-reconciler-type", "none", ...(options.apiserverFlags ?? [])],
      }),
    );
    const alive = AbortSignal.any([etcd.ended, apiserver.ended]);
    const api = await connectApi({ url, token, ca: join(pkiDir, "ca.crt") });
    await api.ready(alive);
    const kubectl = createKubectl(binaries.kubectl, kubeconfig);
    await options.install?.(kubectl);
    const extra = [...toFlags(PATIENCE_WITH_NODES), ...(options.controllerManagerFlags ?? [])];
    const manager = spawn(controllerManagerArguments({ kubeconfig, pkiDir, extra }));
    const account = "/api/v1/namespaces/default/serviceaccounts/default";
    await waitFor("the default ServiceAccount", () => api.get(account), {
      signal: AbortSignal.any([alive, manager.ended]),
    });
    const pids = {
      etcd: etcd.pid,
      "kube-apiserver": apiserver.pid,
      "kube-controller-manager": manager.pid,
    };
    return { kubeconfig, url, pids, ...kubectl, stop, ...(audit ? { auditLog: audit.logFile } : {}) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Loopback ports that nobody listened on a moment ago, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject).listen(0, "127.0.0.1", resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
