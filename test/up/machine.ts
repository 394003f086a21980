import { access, readdir, readFile, statfs } from "node:fs/promises";
import { totalmem } from "node:os";
import { dirname, join } from "node:path";
import { cacheRoot, here } from "#test/cluster/paths.ts";
import { run } from "#test/cluster/shell.ts";

const GIB = 1024 ** 3;

/** One thing a machine must have, with how to get it. */
export interface Requirement {
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
  {
    what: "Go 1.26 or newer",
    remedy: "install it from https://go.dev/dl and put it on the PATH",
    holds: async () => isNewEnough(await goVersion()),
  },
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
];

/** What the whole takes on the disk: about 11 GB are used after a first run, which itself needs some more. */
const FIRST_RUN_GIB = 15;
/** What is left to be filled once a file with that beginning is in the cache. */
const DONE: readonly { folder: string; prefix: string; leftGib: number }[] = [
  { folder: "images", prefix: "openclaw-", leftGib: 3 },
  { folder: "bin", prefix: "kube-", leftGib: 10 },
];

/** Free disk that a run still needs, in GiB: what earlier runs have put below `cache` is not needed once more. */
export async function neededDisk(cache: string): Promise<number> {
  for (const { folder, prefix, leftGib } of DONE) {
    const files = await readdir(join(cache, folder)).catch(() => []);
    if (files.some((file) => file.startsWith(prefix))) return leftGib;
  }
  return FIRST_RUN_GIB;
}

/** Free bytes where `path` is or is going to be. */
export async function freeBytes(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return freeBytes(dirname(path));
  }
}

async function diskRequirement(cache: string): Promise<Requirement> {
  const gib = await neededDisk(cache);
  return {
    what: `${gib} GiB of free disk for ${cache}`,
    remedy: "free some, or set XDG_CACHE_HOME to a bigger disk",
    holds: async () => (await freeBytes(cache)) >= gib * GIB,
  };
}

/** What `go` says it is where our modules are; an older one may fetch the newer one they ask for. Empty when it can't. */
async function goVersion(): Promise<string> {
  return run(["go", "env", "GOVERSION"], { cwd: here("go", "kube") }).catch(() => "");
}

/** Whether what `go env GOVERSION` prints is a version that builds our modules. */
export function isNewEnough(version: string): boolean {
  const [, major = 0, minor = 0] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > 1 || (Number(major) === 1 && Number(minor) >= 26);
}

/** Checks this machine and lists what is missing, each with how to get it; empty = fit. */
export async function findMissing(requirements?: readonly Requirement[]): Promise<string[]> {
  const all = requirements ?? [...REQUIREMENTS, await diskRequirement(cacheRoot())];
  const results = await Promise.all(all.map(async (requirement) => ({ requirement, ok: await requirement.holds() })));
  return results.filter(({ ok }) => !ok).map(({ requirement }) => `${requirement.what}: ${requirement.remedy}`);
}
