import { readdir, readFile } from "node:fs/promises";
import { run } from "#test/cluster/shell.ts";

/** Everything of this machine a cluster could leave traces in, in words that do not change by themselves. */
export interface HostSnapshot {
  links: string[];
  routes: string[];
  /** nft rules, those of iptables among them. */
  rules: string[];
  sysctls: string[];
}

/** Settings of the whole machine that a kubelet or kube-proxy would change. */
const SYSCTLS = [
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "vm/overcommit_memory",
  "net/ipv4/ip_forward",
  "net/ipv4/conf/all/route_localnet",
  "net/netfilter/nf_conntrack_max",
];

/** Looks at what belongs to the machine as a whole. A cluster must not change any of it, not even while it runs. */
export async function snapshotHost(): Promise<HostSnapshot> {
  const lines = async (...argv: string[]) => (await run(argv)).split("\n").filter(Boolean);
  const links = (await lines("ip", "-o", "link", "show")).map((line) => line.split(":")[1]?.trim() ?? line);
  const read = async (name: string) => {
    const value = await readFile(`/proc/sys/${name}`, "utf8").catch(() => "absent");
    return `${name}=${value.trim()}`;
  };
  return {
    links: links.sort(),
    routes: (await lines("ip", "route", "show", "table", "all")).sort(),
    rules: (await lines("nft", "--stateless", "list", "ruleset")).sort(),
    sysctls: await Promise.all(SYSCTLS.map(read)),
  };
}

/** Traces of one cluster on the machine: whatever names its folder or its id. */
export async function findTraces(cluster: { id: string; dir: string }): Promise<string[]> {
  const ours = (text: string) => text.includes(`${cluster.dir}/`) || text.includes(cluster.id);
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid);
  const processes = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  const mounts = (await readFile("/proc/self/mounts", "utf8")).split("\n");
  const loops = (await run(["losetup", "--list", "--noheadings", "--output", "BACK-FILE"])).split("\n");
  const cgroups = (await run(["find", "/sys/fs/cgroup", "-name", `${cluster.id}*`])).split("\n").filter(Boolean);
  return [
    ...processes.filter(ours).map((command) => `process ${command.replaceAll("\0", " ")}`),
    ...mounts.filter(ours).map((mount) => `mount ${mount}`),
    ...loops.filter(ours).map((loop) => `loop device of ${loop}`),
    ...cgroups.map((cgroup) => `cgroup ${cgroup}`),
  ];
}
