import { access, readFile, statfs } from "node:fs/promises";
import { homedir, totalmem } from "node:os";

const GIB = 1024 ** 3;

/** One thing a machine must have, with how to get it. */
interface Requirement {
  readonly what: string;
  readonly remedy: string;
  holds(): Promise<boolean>;
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

async function onPath(program: string): Promise<boolean> {
  const found = await Promise.all((process.env.PATH ?? "").split(":").map((dir) => exists(`${dir}/${program}`)));
  return found.includes(true);
}

/** What a cluster on this machine needs beyond what `make up` installs by itself. */
const REQUIREMENTS: readonly Requirement[] = [
  {
    what: "Linux on x86-64 or arm64",
    remedy: "use such a machine, or CLUSTER=current with a cluster of your own",
    holds: async () => process.platform === "linux" && ["x64", "arm64"].includes(process.arch),
  },
  {
    what: "root",
    remedy: "run it as root (it makes namespaces, mounts and cgroups), or use CLUSTER=current",
    holds: async () => process.getuid?.() === 0,
  },
  { what: "Go 1.26 or newer", remedy: "install Go and put it on the PATH", holds: () => onPath("go") },
  {
    what: "a Debian with apt-get",
    remedy: "use Debian 12 or newer (containerd, runc and the CNI plugins come from its packages)",
    holds: () => onPath("apt-get"),
  },
  {
    what: "loop devices (/dev/loop-control)",
    remedy: "load the kernel module: modprobe loop",
    holds: () => exists("/dev/loop-control"),
  },
  {
    what: "overlayfs and XFS in the kernel",
    remedy: "load the kernel modules: modprobe -a overlay xfs",
    holds: async () => {
      const filesystems = await readFile("/proc/filesystems", "utf8");
      return ["overlay", "xfs"].every((name) => new RegExp(`\\b${name}$`, "m").test(filesystems));
    },
  },
  { what: "6 GiB of memory", remedy: "use a bigger machine", holds: async () => totalmem() >= 6 * GIB * 0.95 },
  {
    what: "15 GiB of free disk under the home directory",
    remedy: "free some, or set XDG_CACHE_HOME to a bigger disk",
    holds: async () => {
      const { bavail, bsize } = await statfs(process.env.XDG_CACHE_HOME ?? homedir());
      return bavail * bsize >= 15 * GIB;
    },
  },
];

/** Checks this machine and lists what is missing, each with how to get it; empty = fit. */
export async function findMissing(requirements: readonly Requirement[] = REQUIREMENTS): Promise<string[]> {
  const results = await Promise.all(
    requirements.map(async (requirement) => ({ requirement, ok: await requirement.holds() })),
  );
  return results.filter(({ ok }) => !ok).map(({ requirement }) => `${requirement.what}: ${requirement.remedy}`);
}
