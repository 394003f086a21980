import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Cluster, clusterStatus, findCluster, startCluster, stopCluster } from "./cluster.ts";
import { startRegistry } from "./registry.ts";

const USAGE =
  "usage: node test/cluster/cli.ts up|down|status|env|registry|logs [--name NAME] [--nodes N] [--audit] [COMPONENT]";

/** Runs one command of the command line. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      name: { type: "string", default: "dev" },
      nodes: { type: "string", default: "1" },
      audit: { type: "boolean", default: false },
    },
  });
  const { name, audit } = values;
  const [command = "help", component = "kube-apiserver"] = positionals;
  switch (command) {
    case "up":
      await startCluster({ name, nodes: Number(values.nodes), audit });
      return printEnv(name);
    case "down":
      return stopCluster(name);
    case "status":
      return console.log(JSON.stringify(await clusterStatus(name), null, 2));
    case "env":
      return printEnv(name);
    case "registry":
      return console.log((await startRegistry(await find(name))).host);
    case "logs":
      return console.log(await readFile(join((await clusterStatus(name)).dir, "log", `${component}.log`), "utf8"));
    default:
      console.error(USAGE);
      process.exitCode = 2;
  }
}

async function find(name: string): Promise<Cluster> {
  const cluster = await findCluster(name);
  if (cluster !== undefined) return cluster;
  throw new Error(`cluster ${name} does not run: node test/cluster/cli.ts up --name ${name}`);
}

async function printEnv(name: string): Promise<void> {
  const cluster = await find(name);
  const quoted = (value: string) => `'${value.replaceAll("'", "'\\''")}'`;
  console.log(`export KUBECONFIG=${quoted(cluster.kubeconfig)}`);
  console.log(`export KUBECTL=${quoted(cluster.kubectlPath)}`);
  console.log(`export HELM=${quoted(cluster.helmPath)}`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
