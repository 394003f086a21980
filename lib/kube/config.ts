import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { createSecureContext } from "node:tls";
import { ExecAuth } from "@kubernetes/client-node/dist/exec_auth.js";
import { type Clock, systemClock } from "#lib/clock.ts";
import { ConfigError } from "#lib/env.ts";
import { type Cluster, readKubeconfig, readServiceAccount, type User } from "./kubeconfig.ts";

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

/** How often the files of certificates and tokens are looked at for a change; client-go's number for tokens. */
const FILE_CHECK_MS = 60_000;

/**
 * The access a kubeconfig's current context gives, or without a path that of the pod's service account.
 * @throws ConfigError naming KUBECONFIG and what is missing or unusable.
 */
export function loadKubeAccess(kubeconfigPath?: string, clock: Clock = systemClock): KubeAccess {
  const context = kubeconfigPath === undefined ? readServiceAccount() : readKubeconfig(kubeconfigPath);
  const { cluster, user } = context;
  const where = kubeconfigPath === undefined ? "the pod's service account" : `KUBECONFIG ${kubeconfigPath}`;
  // `localhost:6443` is a URL too, of the scheme `localhost`.
  if (!["http:", "https:"].includes(URL.parse(cluster.server)?.protocol ?? "")) {
    throw new ConfigError(`${where}: the server "${cluster.server}" is not an http(s) URL`);
  }
  if (cluster.proxyUrl) throw new ConfigError(`${where}: proxy-url is not supported`);
  if (user.authProvider) {
    throw new ConfigError(`${where}: auth-provider is not supported; use an exec plugin`);
  }

  let tls: { material: TlsMaterial; stamp: string; checkedAt: number } | undefined;
  let token: { text: string; readAt: number } | undefined;
  let plugin = new ExecAuth();
  let exec: TlsMaterial | undefined;

  function tlsMaterial(): TlsMaterial {
    const now = clock.monotonic();
    if (tls && now - tls.checkedAt < FILE_CHECK_MS) return tls.material;
    const stamp = fileStamps(cluster, user);
    const material = tls?.stamp === stamp ? tls.material : readTls(cluster, user);
    tls = { material, stamp, checkedAt: now };
    return material;
  }

  function tokenIn(file: string): string {
    const now = clock.monotonic();
    if (!token || now - token.readAt >= FILE_CHECK_MS) token = { text: readFileSync(file, "utf8").trim(), readAt: now };
    return token.text;
  }

  /** A plugin goes first, then a token, a file with one, name and password. */
  async function authenticate(): Promise<RequestOptions> {
    const options: RequestOptions & { headers: Record<string, string> } = {
      headers: user.impersonateUser ? { "impersonate-user": user.impersonateUser } : {},
    };
    if (user.exec) await plugin.applyAuthentication(user, options);
    else if (user.token) options.headers.authorization = `Bearer ${user.token.trim()}`;
    else if (context.tokenFile) options.headers.authorization = `Bearer ${tokenIn(context.tokenFile)}`;
    else if (user.username) {
      options.headers.authorization = `Basic ${Buffer.from(`${user.username}:${user.password ?? ""}`).toString("base64")}`;
    }
    return options;
  }

  try {
    checkTls(tlsMaterial());
  } catch (error) {
    throw new ConfigError(`${where}: ${(error as Error).message}`, { cause: error });
  }
  return {
    server: cluster.server.replace(/\/+$/, ""),
    ...(context.namespace ? { namespace: context.namespace } : {}),
    async credentials() {
      const material = tlsMaterial();
      const { headers: given, cert, key } = await authenticate();
      const headers = lowerCased(given as Record<string, string>);
      if (typeof cert !== "string" || typeof key !== "string") return { headers, tls: material };
      // A plugin may hand out certificates; keep the object the same while they are.
      if (exec?.cert !== cert || exec.key !== key || exec.ca !== material.ca) exec = { ...material, cert, key };
      return { headers, tls: exec };
    },
    refresh() {
      token = undefined;
      plugin = new ExecAuth();
    },
  };
}

function lowerCased(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.trim()]));
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

/** Finds out at the start what every request would fail by. @throws Error that holds no piece of the material. */
function checkTls({ ca, cert, key }: TlsMaterial): void {
  try {
    if (ca) new X509Certificate(ca);
  } catch (cause) {
    throw new Error("the certificate-authority is not a PEM certificate", { cause });
  }
  if (!cert !== !key) throw new Error("a client certificate and its key come together, and one of them is missing");
  try {
    if (cert && key) createSecureContext({ cert, key });
  } catch (cause) {
    throw new Error("the client certificate and its key are not a pair in PEM", { cause });
  }
}

function fileOrData(file: string | undefined, data: string | undefined): Buffer | undefined {
  if (file) return readFileSync(file);
  return data ? Buffer.from(data, "base64") : undefined;
}

function fileStamps(cluster: Cluster, user: User): string {
  const files = [cluster.caFile, user.certFile, user.keyFile].filter((file) => typeof file === "string" && file !== "");
  return files.map((file) => `${file}:${statSync(file as string).mtimeMs}`).join("\n");
}
