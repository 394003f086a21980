import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Name of the one context in every kubeconfig written here. */
export const CONTEXT = "hatchery";

/** What a kubeconfig says. */
export interface Access {
  server: string;
  /** PEM text. */
  ca: string;
  token: string;
}

/** Text of a kubeconfig (JSON is YAML) that stands alone: no paths inside. */
export function renderKubeconfig({ server, ca, token }: Access): string {
  const cluster = { server, "certificate-authority-data": Buffer.from(ca).toString("base64") };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: CONTEXT, cluster }],
    users: [{ name: CONTEXT, user: { token } }],
    contexts: [{ name: CONTEXT, context: { cluster: CONTEXT, user: CONTEXT } }],
    "current-context": CONTEXT,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** Writes a kubeconfig only its owner may read, for the authority in `pkiDir`; gives its path. */
export async function writeKubeconfig(path: string, pkiDir: string, server: string, token: string): Promise<string> {
  const ca = await readFile(join(pkiDir, "ca.crt"), "utf8");
  await writeFile(path, renderKubeconfig({ server, ca, token }), { mode: 0o600 });
  return path;
}
