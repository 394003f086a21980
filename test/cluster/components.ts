import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toFlags } from "./flags.ts";

/** ClusterIPs are taken from here, in every cluster: clusters share no network. */
export const SERVICE_CIDR = "10.96.0.0/16";

/** etcd for one member; nothing is synced to disk because nothing has to outlive a crash. */
export function etcdArguments(o: { dataDir: string; clientUrl: string; peerUrl: string }): string[] {
  const flags = toFlags({
    "data-dir": o.dataDir,
    "unsafe-no-fsync": true,
    "log-level": "warn",
    "listen-client-urls": o.clientUrl,
    "advertise-client-urls": o.clientUrl,
    "listen-peer-urls": o.peerUrl,
    "initial-advertise-peer-urls": o.peerUrl,
    "initial-cluster": `default=${o.peerUrl}`,
  });
  return ["etcd", ...flags];
}

/** What the apiserver of any of our clusters is told. */
export interface ApiserverOptions {
  etcdUrl: string;
  bindAddress: string;
  advertiseAddress: string;
  port: number;
  /** Folder with `ca`, `apiserver` and `sa` files. */
  pkiDir: string;
  /** CSV: token,user,uid,"groups". */
  tokenFile: string;
  audit?: Audit;
  /** Flags of one kind of cluster only. */
  extra?: readonly string[];
}

/** kube-apiserver with RBAC, node authorization and Pod Security admission (which is on by itself). */
export function apiserverArguments(o: ApiserverOptions): string[] {
  const pki = (file: string) => join(o.pkiDir, file);
  const flags = toFlags({
    "etcd-servers": o.etcdUrl,
    "secure-port": o.port,
    "bind-address": o.bindAddress,
    "advertise-address": o.advertiseAddress,
    "cert-dir": o.pkiDir,
    "tls-cert-file": pki("apiserver.crt"),
    "tls-private-key-file": pki("apiserver.key"),
    "client-ca-file": pki("ca.crt"),
    "token-auth-file": o.tokenFile,
    "service-cluster-ip-range": SERVICE_CIDR,
    "service-account-issuer": "https://kubernetes.default.svc",
    "service-account-key-file": pki("sa.pub"),
    "service-account-signing-key-file": pki("sa.key"),
    "authorization-mode": "Node,RBAC",
    "enable-admission-plugins": "NodeRestriction",
    "allow-privileged": true,
    // Without it an apiserver that is told to stop waits for its watchers.
    "shutdown-watch-termination-grace-period": "0s",
    "audit-policy-file": o.audit?.policyFile,
    "audit-log-path": o.audit?.logFile,
    // In megabytes. Beyond it the log goes on in another file, and whoever reads it would miss what came before.
    "audit-log-maxsize": o.audit ? 10_000 : undefined,
  });
  return ["kube-apiserver", ...flags, ...(o.extra ?? [])];
}

/** kube-controller-manager as the only one of its kind; its own port stays closed. */
export function controllerManagerArguments(o: {
  kubeconfig: string;
  pkiDir: string;
  extra?: readonly string[];
}): string[] {
  const pki = (file: string) => join(o.pkiDir, file);
  const flags = toFlags({
    kubeconfig: o.kubeconfig,
    "leader-elect": false,
    "secure-port": 0,
    "use-service-account-credentials": true,
    "service-account-private-key-file": pki("sa.key"),
    "root-ca-file": pki("ca.crt"),
    "cluster-signing-cert-file": pki("ca.crt"),
    "cluster-signing-key-file": pki("ca.key"),
    "allocate-node-cidrs": false,
    "kube-api-qps": 200,
    "kube-api-burst": 400,
    "pvclaimbinder-sync-period": "5s",
    "horizontal-pod-autoscaler-sync-period": "5s",
  });
  return ["kube-controller-manager", ...flags, ...(o.extra ?? [])];
}

/** Files of the apiserver's audit. */
export interface Audit {
  policyFile: string;
  /** JSON lines. */
  logFile: string;
}

/** Every request once, when it is done: who, with what agent, which verb on which object; of writes the bodies too if asked for. */
function auditPolicy(bodies: boolean): object {
  const writes = { level: "RequestResponse", verbs: ["create", "update", "patch", "delete", "deletecollection"] };
  return {
    apiVersion: "audit.k8s.io/v1",
    kind: "Policy",
    omitStages: ["RequestReceived"],
    omitManagedFields: true,
    rules: [...(bodies ? [writes] : []), { level: "Metadata" }],
  };
}

/** Writes the audit policy below `dir` and says where it and the log are. */
export async function prepareAudit(dir: string, o: { bodies?: boolean } = {}): Promise<Audit> {
  const policyFile = join(dir, "audit-policy.json");
  await writeFile(policyFile, JSON.stringify(auditPolicy(o.bodies ?? false)));
  return { policyFile, logFile: join(dir, "audit.log") };
}

/** One user of a token file. */
export interface TokenUser {
  token: string;
  user: string;
  groups?: readonly string[];
}

/** Text of a token file: one line for each user. */
export function renderTokens(users: readonly TokenUser[]): string {
  const line = (u: TokenUser) => `${u.token},${u.user},${u.user}${u.groups ? `,"${u.groups.join(",")}"` : ""}`;
  return `${users.map(line).join("\n")}\n`;
}
