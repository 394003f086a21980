import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { dirname, join, resolve } from "node:path";
// Modules of its own: the package as a whole costs each process 40 MB.
import {
  type Cluster,
  newClusters,
  newContexts,
  newUsers,
  type User,
} from "@kubernetes/client-node/dist/config_types.js";
import { load, YAMLException } from "js-yaml";
import { ConfigError } from "#lib/env.ts";

export type { Cluster, User } from "@kubernetes/client-node/dist/config_types.js";

/** What a kubeconfig's current context comes to; paths of files are absolute. */
export interface KubeContext {
  readonly cluster: Cluster;
  readonly user: User;
  /** File that holds the user's token, and may hold another one later. */
  readonly tokenFile?: string | undefined;
  readonly namespace?: string | undefined;
}

/** Where a pod finds its service account. */
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/** The current context of a kubeconfig. @throws ConfigError naming the file and what is wrong with it, without a piece of it. */
export function readKubeconfig(path: string): KubeContext {
  const where = `KUBECONFIG ${path}`;
  const { clusters, users, contexts, current } = parse(path);
  const context = contexts.find(({ name }) => name === current);
  if (!context) throw new ConfigError(`${where}: the current context "${current}" is not defined`);
  const cluster = clusters.find(({ name }) => name === context.cluster);
  if (!cluster) throw new ConfigError(`${where}: the cluster "${context.cluster}" is not defined`);
  const found = users.find(({ user }) => user.name === context.user);
  if (!found) throw new ConfigError(`${where}: the user "${context.user}" is not defined`);
  return { cluster, ...found, namespace: context.namespace };
}

/** The service account of the pod this process runs in. @throws ConfigError outside a pod. */
export function readServiceAccount(env: Readonly<Record<string, string | undefined>> = process.env): KubeContext {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = "443" } = env;
  if (!host) {
    throw new ConfigError("KUBECONFIG is not set, and this is no pod (KUBERNETES_SERVICE_HOST is not set either)");
  }
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`;
  return {
    cluster: { name: "in-cluster", server, caFile: join(SERVICE_ACCOUNT, "ca.crt"), skipTLSVerify: false },
    user: { name: "service-account" },
    tokenFile: join(SERVICE_ACCOUNT, "token"),
    namespace: namespaceOfPod(),
  };
}

function namespaceOfPod(): string | undefined {
  try {
    return readFileSync(join(SERVICE_ACCOUNT, "namespace"), "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

interface RawKubeconfig {
  clusters?: unknown;
  users?: { name: string; user?: { tokenFile?: string } }[];
  contexts?: unknown;
  "current-context"?: string;
}

function parse(path: string) {
  const beside = (file: string | null | undefined) => (file ? resolve(dirname(path), file) : "");
  try {
    const raw = (load(readFileSync(path, "utf8")) ?? {}) as RawKubeconfig;
    const tokenFileOf = (user: string) => raw.users?.find(({ name }) => name === user)?.user?.tokenFile;
    return {
      clusters: newClusters(raw.clusters).map((cluster) => ({ ...cluster, caFile: beside(cluster.caFile) })),
      users: newUsers(raw.users).map((user) => ({
        user: { ...user, certFile: beside(user.certFile), keyFile: beside(user.keyFile) },
        tokenFile: beside(tokenFileOf(user.name)) || undefined,
      })),
      contexts: newContexts(raw.contexts),
      current: raw["current-context"] ?? "",
    };
  } catch (error) {
    throw new ConfigError(`KUBECONFIG ${path} is not usable: ${faultIn(error)}`);
  }
}

/** What is wrong with a file; of the YAML parser's words not those that show a piece of it, which may be a token. */
function faultIn(error: unknown): string {
  if (!(error instanceof YAMLException)) return error instanceof Error ? error.message : String(error);
  const { reason, mark } = error;
  return `${reason}${mark ? ` at ${mark.line + 1}:${mark.column + 1}` : ""}`;
}
