import { spawn } from "node:child_process";
import { chown, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { run } from "#test/cluster/shell.ts";
import type { ImageArchive } from "./archive.ts";
import { hasImage, runWithStorage } from "./buildah.ts";

/** The files of an image, mounted. */
export interface Rootfs {
  readonly path: string;
  /** Entry point followed by command. */
  readonly argv: readonly string[];
  readonly env: readonly string[];
  /** What ends its first process in good order, such as `SIGTERM`. */
  readonly stopSignal: string;
  remove(): Promise<void>;
}

/** How a container runs: as a pod of ours does, in the network of this machine unless told otherwise. */
export interface ContainerOptions {
  readonly rootfs: Rootfs;
  /** Instead of the image's entry point and command. */
  readonly argv?: readonly string[];
  readonly uid: number;
  readonly env: Readonly<Record<string, string>>;
  /** Path inside to folder outside, and whether it may be written. */
  readonly mounts: Readonly<Record<string, { source: string; writable: boolean }>>;
  /** Path of a network namespace. */
  readonly network?: string | undefined;
}

/** A container that was started. */
export interface Container {
  /** What it printed so far. */
  log(): string;
  /** Its exit code, once it has ended. */
  readonly exited: Promise<number>;
  /** Sends the image's stop signal to its first process, as the kubelet does. */
  terminate(): void;
  /** Ends it at once, if it still runs. */
  kill(): void;
}

/** Mounts the files of an image. */
export async function mountImage(image: ImageArchive): Promise<Rootfs> {
  if (!(await hasImage(image.ref))) await runWithStorage(["buildah", "pull", "--quiet", `docker-archive:${image.tar}`]);
  const name = (await runWithStorage(["buildah", "from", "--pull-never", image.ref])).trim();
  const path = (await runWithStorage(["buildah", "mount", name])).trim();
  const inspected = JSON.parse(await runWithStorage(["buildah", "inspect", name])) as {
    OCIv1: { config: { Entrypoint?: string[]; Cmd?: string[]; Env?: string[]; StopSignal?: string } };
  };
  const { Entrypoint = [], Cmd = [], Env = [], StopSignal = "SIGTERM" } = inspected.OCIv1.config;
  return {
    path,
    argv: [...Entrypoint, ...Cmd],
    env: Env,
    stopSignal: StopSignal,
    remove: async () => {
      await runWithStorage(["buildah", "rm", name]);
    },
  };
}

/** A folder that belongs to `uid`, as a volume with a pod's fsGroup does. */
export async function makeVolume(uid: number): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "hatchery-volume-"));
  await chown(path, uid, uid);
  return path;
}

/** Runs a container by runc: read-only root, no capabilities, no new privileges, `/tmp` in memory. */
export async function startContainer(options: ContainerOptions): Promise<Container> {
  const bundle = await mkdtemp(join(tmpdir(), "hatchery-container-"));
  const id = basename(bundle);
  await writeFile(join(bundle, "config.json"), JSON.stringify(runtimeSpec(options)));
  await mkdir(join(bundle, "state"));
  const runc = ["--root", join(bundle, "state")];
  const child = spawn("runc", [...runc, "run", "--bundle", bundle, id], { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
  }
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
  const removed = async () => {
    const code = await ended;
    await run(["runc", ...runc, "delete", "--force", id]);
    await rm(bundle, { recursive: true, force: true });
    return code;
  };
  const exited = removed();
  // runc passes on every signal but SIGKILL; the container's processes die with their first.
  const signal = (name: string) => () => {
    if (child.exitCode === null && child.signalCode === null)
      void run(["runc", ...runc, "kill", id, name]).catch(() => 0);
  };
  return { log: () => log, exited, terminate: signal(options.rootfs.stopSignal), kill: signal("SIGKILL") };
}

function runtimeSpec({ rootfs, argv, uid, env, mounts, network }: ContainerOptions): object {
  const capabilities = { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] };
  const own = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  return {
    ociVersion: "1.0.2",
    root: { path: rootfs.path, readonly: true },
    process: {
      args: argv ?? rootfs.argv,
      cwd: "/",
      env: [...rootfs.env.filter((line) => !Object.hasOwn(env, line.slice(0, line.indexOf("=")))), ...own],
      user: { uid, gid: uid, umask: 0o22 },
      capabilities,
      noNewPrivileges: true,
    },
    hostname: "openclaw-test",
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "mode=755", "size=64k"] },
      { destination: "/dev/shm", type: "tmpfs", source: "shm", options: ["nosuid", "nodev", "noexec", "mode=1777"] },
      { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=1777", "size=1g"] },
      ...Object.entries(mounts).map(([destination, { source, writable }]) => ({
        destination,
        type: "bind",
        source,
        options: ["bind", writable ? "rw" : "ro"],
      })),
    ],
    linux: {
      namespaces: [
        ...["pid", "mount", "ipc", "uts"].map((type) => ({ type })),
        ...(network === undefined ? [] : [{ type: "network", path: network }]),
      ],
    },
  };
}
