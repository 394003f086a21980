import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { basename } from "node:path";
import { tail } from "./component.ts";
import { run } from "./shell.ts";
import { waitFor } from "./wait.ts";

/**
 * Environment of everything that runs in a cluster. What the starter's holds is none of its business: keys, and proxies
 * that would swallow the way to the apiserver.
 */
export const CLUSTER_ENV = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root" };

/** All namespaces of a capsule but the cgroup one. */
const ALL = ["--mount", "--net", "--pid", "--uts", "--ipc"];

/** The command that runs `argv` in all namespaces of process `pid`. */
export function inside(pid: number, argv: readonly string[]): string[] {
  return ["nsenter", "--target", String(pid), ...ALL, "--", ...argv];
}

/** The command that runs `argv` in the network of process `pid`, with everything else of the caller. */
export function insideNetwork(pid: number, argv: readonly string[]): string[] {
  return ["nsenter", "--target", String(pid), "--net", "--", ...argv];
}

/** Runs a shell script (errors end it) in all namespaces of a process. */
export function runScript(pid: number, script: string): Promise<string> {
  return run(inside(pid, ["sh", "-eu"]), { input: script });
}

/**
 * Makes new mount, network, PID, host name and IPC namespaces with a `capsule init` as first process, and gives that
 * process's pid on the host. With its death every process, mount and link inside ends. `id` names it on the machine;
 * `parent` is the process whose namespaces the new ones are nested in.
 */
export async function createNamespaces(o: {
  capsule: string;
  id: string;
  log: string;
  parent?: number;
}): Promise<number> {
  const unshare = ["unshare", ...ALL, "--fork", "--kill-child=KILL", "--mount-proc", "--propagation", "private"];
  const argv = ["setsid", "--fork", ...unshare, o.capsule, "init", o.id];
  const [file = "", ...args] = o.parent === undefined ? argv : inside(o.parent, argv);
  const log = openSync(o.log, "a", 0o600);
  const child = spawn(file, args, { stdio: ["ignore", "pipe", log], cwd: "/", env: CLUSTER_ENV });
  closeSync(log);
  const output = child.stdout;
  if (output === null) throw new Error("no pipe");
  const ready = once(output, "data").then(() => true);
  const ended = once(output, "close").then(() => false);
  child.once("error", (error) => output.destroy(error));
  if (!(await Promise.race([ready, ended]))) throw new Error(`namespaces of ${o.id} ended:\n${tail(o.log)}`);
  output.destroy();
  return waitFor(`the first process of ${o.id}`, () => findInit(o.id), { timeoutMs: 10_000 });
}

/** Pids of the first processes of all namespaces on the machine, by the names these were given. */
export async function findInits(): Promise<Map<string, number>> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const found = new Map<string, number>();
  await Promise.all(
    pids.map(async (pid) => {
      const [program = "", command, id] = await commandLine(pid);
      if (basename(program) === "capsule" && command === "init" && id) found.set(id, pid);
    }),
  );
  return found;
}

/** Pid of the first process of the namespaces named `id`, or undefined when they do not exist. */
export async function findInit(id: string): Promise<number | undefined> {
  return (await findInits()).get(id);
}

/** Arguments a process was started with; empty when it is gone. */
export async function commandLine(pid: number): Promise<string[]> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0");
  } catch {
    return [];
  }
}

/** Kills namespaces by their first process and waits until all inside is gone. Fine when there are none. */
export async function killNamespaces(id: string): Promise<void> {
  const pid = await findInit(id);
  if (pid === undefined) return;
  process.kill(pid, "SIGKILL");
  await waitFor(`the end of ${id}`, async () => (await findInit(id)) === undefined);
}

/** A process inside that lives on when this one ends. */
export interface Launched {
  /** Aborts when it ends while this process watches; the reason repeats the end of its log. */
  ended: AbortSignal;
}

/** How to launch. */
export interface LaunchOptions {
  /** First process of the namespaces. */
  pid: number;
  argv: readonly string[];
  log: string;
  /** cgroup.procs files of the groups it becomes part of. */
  cgroups: readonly string[];
}

/** Moves itself into the groups before it becomes the program: what it starts is in them from the first moment. */
const JOIN_AND_RUN = 'while [ "$1" != -- ]; do echo 0 > "$1"; shift; done; shift; exec setsid --fork "$@"';

/** Starts a process in all namespaces of `pid` as an orphan of theirs: their first process adopts it. */
export function launch({ pid, argv, log, cgroups }: LaunchOptions): Launched {
  const out = openSync(log, "a", 0o600);
  const [file = "", ...args] = inside(pid, ["sh", "-euc", JOIN_AND_RUN, "sh", ...cgroups, "--", ...argv]);
  // Nobody reads or writes descriptor 3: it closes when the process ends, however many parents it outlived.
  const child = spawn(file, args, { stdio: ["ignore", out, out, "pipe"], cwd: "/", env: CLUSTER_ENV });
  closeSync(out);
  const ended = new AbortController();
  const end = (error?: Error) => ended.abort(error ?? new Error(`${argv.slice(0, 2).join(" ")} ended:\n${tail(log)}`));
  child.once("error", end);
  child.unref();
  const life = child.stdio[3] as Socket;
  life.once("close", () => end());
  life.resume();
  life.unref();
  return { ended: ended.signal };
}
