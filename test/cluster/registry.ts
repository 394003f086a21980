import { writeFile } from "node:fs/promises";
import { get } from "node:http";
import { join } from "node:path";
import type { Cluster } from "./handle.ts";
import { CONTROL_PLANE_IP } from "./network.ts";
import { ensurePackages } from "./packages.ts";
import { waitFor } from "./wait.ts";

const PORT = 5000;

/** A registry in the network of a cluster. */
export interface Registry {
  /** HOST:PORT that images are named by, both where they are pushed (the host, by plain HTTP) and on the nodes. */
  host: string;
}

/** Starts Debian's docker-registry beside the control plane, unless it runs; its images go with the cluster. */
export async function startRegistry(cluster: Cluster): Promise<Registry> {
  await ensurePackages([["docker-registry", "docker-registry"]]);
  const address = `${CONTROL_PLANE_IP}:${PORT}`;
  const port = await cluster.openDoor(address);
  if (!(await answers(port))) {
    const config = join(cluster.dir, "registry.json");
    await writeFile(config, renderConfig(join(cluster.dir, "volumes", "registry"), address));
    cluster.launch("registry", ["docker-registry", "serve", config]);
    await waitFor("registry", () => answers(port), { timeoutMs: 30_000 });
  }
  const host = `127.0.0.1:${port}`;
  await cluster.useRegistry(host, address);
  return { host };
}

function renderConfig(rootdirectory: string, addr: string): string {
  return JSON.stringify({
    version: "0.1",
    log: { level: "warn" },
    storage: { filesystem: { rootdirectory }, delete: { enabled: true } },
    http: { addr },
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    get({ host: "127.0.0.1", port, path: "/v2/", agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).once("error", () => resolve(false));
  });
}
