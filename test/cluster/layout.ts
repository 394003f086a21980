import { createHash } from "node:crypto";
import { join, resolve } from "node:path";
import { stateRoot } from "./paths.ts";

/** Where a cluster keeps what, and how its parts are called on the machine. */
export interface Layout {
  name: string;
  /** Unique on the machine, also among state folders: prefix of process names and cgroups. */
  id: string;
  dir: string;
  /** Held while the cluster is started, stopped or changed. */
  lockFile: string;
  pkiDir: string;
  logDir: string;
  volumesDir: string;
  /** How nodes reach registries; one folder a registry. */
  registriesDir: string;
  /** Names that the cluster's DNS knows beside its own, see `outside.ts`. */
  namesDir: string;
  /** Kubeconfig for the host. */
  kubeconfig: string;
  /** Kubeconfig of a component inside. */
  componentKubeconfig(component: string): string;
  log(component: string): string;
  nodeDir(index: number): string;
  nodeId(index: number): string;
}

/** A cluster's name becomes part of file, cgroup and process names. */
const NAME = /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/;

/**
 * The layout of the cluster with this name.
 * @throws Error when the name is not lower-case letters, digits and dashes, at most 32 characters.
 */
export function clusterLayout(name: string): Layout {
  if (!NAME.test(name)) {
    throw new Error(`cluster name ${JSON.stringify(name)}: expected at most 32 of a-z, 0-9 and -, no dash at the ends`);
  }
  const root = resolve(stateRoot());
  const dir = join(root, name);
  const id = `hatchery-${name}-${createHash("sha256").update(root).digest("hex").slice(0, 6)}`;
  return {
    name,
    id,
    dir,
    lockFile: join(root, ".locks", name),
    pkiDir: join(dir, "pki"),
    logDir: join(dir, "log"),
    volumesDir: join(dir, "volumes"),
    registriesDir: join(dir, "registries"),
    namesDir: join(dir, "names"),
    kubeconfig: join(dir, "kubeconfig"),
    componentKubeconfig: (component) => join(dir, "pki", `${component}.kubeconfig`),
    log: (component) => join(dir, "log", `${component}.log`),
    nodeDir: (index) => join(dir, "nodes", String(index)),
    nodeId: (index) => `${id}/node${index}`,
  };
}
