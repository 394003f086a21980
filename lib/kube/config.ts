/** Certificates and checks of the TLS connection; the same object as long as nothing changed. */
export interface TlsMaterial {
  ca?: Buffer;
  cert?: Buffer | string;
  key?: Buffer | string;
  servername?: string;
  rejectUnauthorized?: boolean;
}

/** Where the apiserver is and who we are there. */
export interface KubeAccess {
  /** URL without a trailing slash. */
  readonly server: string;
  /** Namespace of the context, where it names one. */
  readonly namespace?: string;
  /** Headers that authenticate one request, and the TLS material for its connection. */
  credentials(): Promise<{ headers: Record<string, string>; tls: TlsMaterial }>;
  /** Forgets cached tokens, after the server refused one. */
  refresh(): void;
}

/**
 * The access a kubeconfig's current context gives, or without a path that of the pod's service account.
 * @throws ConfigError naming KUBECONFIG and what is missing.
 */
export function loadKubeAccess(kubeconfigPath?: string): KubeAccess {
  throw new Error(`not built yet ${kubeconfigPath}`);
}
