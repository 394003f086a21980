import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renderTokens, type TokenUser } from "./components.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import type { Layout } from "./layout.ts";
import { API_URL, CONTROL_PLANE_IP, NODE_INDEXES, nodeName } from "./network.ts";
import { APISERVER_NAMES, createPki } from "./pki.ts";

const token = () => randomBytes(16).toString("hex");

/** Who talks to the apiserver, under the name of its kubeconfig. */
function users(): Record<string, TokenUser> {
  const nodes = NODE_INDEXES.map((index): [string, TokenUser] => {
    const name = nodeName(index);
    return [name, { token: token(), user: `system:node:${name}`, groups: ["system:nodes"] }];
  });
  const privileged = (user: string) => ({ token: token(), user, groups: ["system:masters"] });
  return {
    admin: privileged("admin"),
    netpol: privileged("netpol"),
    csi: privileged("csi"),
    "kube-controller-manager": { token: token(), user: "system:kube-controller-manager" },
    "kube-scheduler": { token: token(), user: "system:kube-scheduler" },
    "kube-proxy": { token: token(), user: "system:kube-proxy" },
    ...Object.fromEntries(nodes),
  };
}

/** Credentials of a fresh cluster. */
export interface Credentials {
  /** Token with all rights. */
  adminToken: string;
  tokenFile: string;
}

/** Makes a new authority, certificates, tokens and a kubeconfig for every component; old ones are worth nothing after. */
export async function createCredentials(layout: Layout): Promise<Credentials> {
  const { pkiDir } = layout;
  const altNames = [...APISERVER_NAMES, `IP:${CONTROL_PLANE_IP}`];
  await createPki(pkiDir, [
    { name: "apiserver", commonName: "kube-apiserver", altNames },
    { name: "kubelet-client", commonName: "kube-apiserver-kubelet-client", organization: "system:masters" },
  ]);
  const all = users();
  const tokenFile = join(pkiDir, "tokens.csv");
  await writeFile(tokenFile, renderTokens(Object.values(all)), { mode: 0o600 });
  for (const [name, user] of Object.entries(all)) {
    await writeKubeconfig(layout.componentKubeconfig(name), pkiDir, API_URL, user.token);
  }
  return { adminToken: all.admin?.token ?? "", tokenFile };
}
