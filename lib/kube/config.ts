import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Cluster, KubeConfig, loadYaml, type User } from "@kubernetes/client-node";
import { type Clock, systemClock } from "#lib/clock.ts";
import { ConfigError } from "#lib/env.ts";

/** Certificates and checks of the TLS connection; the same object as long as nothing changed. */
export interface TlsMaterial {
  readonly ca?: Buffer;
  readonly cert?: Buffer | string;
  readonly key?: Buffer | string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

/** What authenticates one request: headers, and the TLS material for its connection. */
export interface KubeCredentials {
  readonly headers: Record<string, string>;
  readonly tls: TlsMaterial;
}

/** Where the apiserver is and who we are there. */
export interface KubeAccess {
  /** URL without a trailing slash. */
  readonly server: string;
  /** Namespace of the context, where it names one. */
  readonly namespace?: string;
  /** Reads token files again once a minute, certificates when their files changed. */
  credentials(): Promise<KubeCredentials>;
  /** Forgets cached tokens, after the server refused one. */
  refresh(): void;
}

/** How often the certificate files are looked at for a change. */
const TLS_CHECK_MS = 60_000;

/**
 * The access a kubeconfig's current context gives, or without a path that of the pod's service account.
 * @throws ConfigError naming KUBECONFIG and what is missing.
 */
export function loadKubeAccess(kubeconfigPath?: string, clock: Clock = systemClock): KubeAccess {
  const config = kubeconfigPath === undefined ? inCluster() : fromFile(kubeconfigPath);
  const where = kubeconfigPath === undefined ? "the pod's service account" : `KUBECONFIG ${kubeconfigPath}`;
  const context = config.getContextObject(config.currentContext);
  if (!context) throw new ConfigError(`${where}: the current context "${config.currentContext ?? ""}" is not defined`);
  const cluster = config.getCurrentCluster();
  if (!cluster) throw new ConfigError(`${where}: the cluster "${context.cluster}" is not defined`);
  const user = config.getCurrentUser();
  if (!user) throw new ConfigError(`${where}: the user "${context.user}" is not defined`);
  if (!URL.canParse(cluster.server)) throw new ConfigError(`${where}: the server "${cluster.server}" is not a URL`);
  if (cluster.proxyUrl) throw new ConfigError(`${where}: proxy-url is not supported`);

  let tls: { material: TlsMaterial; stamp: string; checkedAt: number } | undefined;
  let authenticator = authenticatorFor(cluster, user);
  let exec: TlsMaterial | undefined;

  function tlsMaterial(): TlsMaterial {
    const now = clock.monotonic();
    if (tls && now - tls.checkedAt < TLS_CHECK_MS) return tls.material;
    const stamp = fileStamps(cluster as Cluster, user as User);
    const material = tls?.stamp === stamp ? tls.material : readTls(cluster as Cluster, user as User);
    tls = { material, stamp, checkedAt: now };
    return material;
  }

  try {
    tlsMaterial();
  } catch (error) {
    throw new ConfigError(`${where}: ${(error as Error).message}`, { cause: error });
  }
  return {
    server: cluster.server.replace(/\/+$/, ""),
    ...(context.namespace ? { namespace: context.namespace } : {}),
    async credentials() {
      const material = tlsMaterial();
      const { headers, cert, key } = await authenticate(authenticator);
      if (!cert || !key) return { headers, tls: material };
      // An exec plugin may hand out certificates; keep the object the same while they are.
      if (exec?.cert !== cert || exec.key !== key || exec.ca !== material.ca) exec = { ...material, cert, key };
      return { headers, tls: exec };
    },
    refresh() {
      authenticator = authenticatorFor(cluster, user);
    },
  };
}

function inCluster(): KubeConfig {
  const config = new KubeConfig();
  config.loadFromCluster();
  // KubeConfig builds the URL from KUBERNETES_SERVICE_HOST without looking whether it is set.
  if (config.getCurrentCluster()?.server.includes("//undefined")) {
    throw new ConfigError("KUBECONFIG is not set, and this is no pod (KUBERNETES_SERVICE_HOST is not set either)");
  }
  return config;
}

function fromFile(path: string): KubeConfig {
  const config = new KubeConfig();
  try {
    const text = readFileSync(path, "utf8");
    config.loadFromString(text);
    const root = dirname(path);
    // KubeConfig knows neither kubectl's `tokenFile` nor re-reading it; its token file provider does both.
    config.users = config.users.map((user) => withTokenFile(user, tokenFileOf(text, user.name), root));
    config.makePathsAbsolute(root);
  } catch (error) {
    throw new ConfigError(`KUBECONFIG ${path} is not usable: ${faultIn(error)}`);
  }
  return config;
}

/** What is wrong with a file; of the YAML parser's words not those that show a piece of it, which may be a token. */
function faultIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { reason, mark } = error as { reason?: unknown; mark?: { line: number; column: number } };
  if (error.name !== "YAMLException") return error.message;
  return `${String(reason)}${mark ? ` at ${mark.line + 1}:${mark.column + 1}` : ""}`;
}

function tokenFileOf(text: string, userName: string): string | undefined {
  const { users } = loadYaml<{ users?: { name: string; user?: { tokenFile?: string } }[] }>(text);
  return users?.find((user) => user.name === userName)?.user?.tokenFile;
}

function withTokenFile(user: User, tokenFile: string | undefined, root: string): User {
  if (tokenFile === undefined || user.token) return user;
  return { ...user, authProvider: { name: "tokenFile", config: { tokenFile: resolve(root, tokenFile) } } };
}

/** KubeConfig reads every certificate file for each request, so the copy that makes the headers has none of them. */
function authenticatorFor(cluster: Cluster, user: User): KubeConfig {
  const { name, authProvider, exec, token, username, password, impersonateUser } = user;
  const identity = { name, authProvider, exec, token, username, password, impersonateUser } as User;
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: cluster.name, server: "https://unused.invalid", skipTLSVerify: false },
    identity,
  );
  return config;
}

async function authenticate(
  config: KubeConfig,
): Promise<{ headers: Record<string, string>; cert?: string; key?: string }> {
  const options: Parameters<KubeConfig["applyToHTTPSOptions"]>[0] = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name.toLowerCase()] = String(value).trim();
  if (options.auth) headers.authorization = `Basic ${Buffer.from(options.auth).toString("base64")}`;
  const { cert, key } = options;
  return { headers, ...(typeof cert === "string" && typeof key === "string" ? { cert, key } : {}) };
}

function readTls(cluster: Cluster, user: User): TlsMaterial {
  const ca = fileOrData(cluster.caFile, cluster.caData);
  const cert = fileOrData(user.certFile, user.certData);
  const key = fileOrData(user.keyFile, user.keyData);
  return {
    ...(ca ? { ca } : {}),
    ...(cert ? { cert } : {}),
    ...(key ? { key } : {}),
    ...(cluster.tlsServerName ? { servername: cluster.tlsServerName } : {}),
    ...(cluster.skipTLSVerify ? { rejectUnauthorized: false } : {}),
  };
}

function fileOrData(file: string | undefined, data: string | undefined): Buffer | undefined {
  if (file) return readFileSync(file);
  return data ? Buffer.from(data, "base64") : undefined;
}

function fileStamps(cluster: Cluster, user: User): string {
  const files = [cluster.caFile, user.certFile, user.keyFile].filter((file) => typeof file === "string" && file !== "");
  return files.map((file) => `${file}:${statSync(file as string).mtimeMs}`).join("\n");
}
