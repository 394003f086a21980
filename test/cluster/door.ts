import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import * as z from "zod";
import { tail } from "./component.ts";
import { withLock } from "./lock.ts";
import { CLUSTER_ENV, commandLine } from "./namespaces.ts";
import { OUTSIDE_IP } from "./network.ts";
import { waitFor } from "./wait.ts";

/** A door that stands open. */
const doorSchema = z.object({
  pid: z.number().int(),
  port: z.number().int(),
  /** First process of the cluster. */
  init: z.number().int(),
  /** Leads out of the cluster instead. */
  outward: z.boolean().default(false),
});
const doorsSchema = z.record(z.string(), doorSchema);
type Door = z.infer<typeof doorSchema>;

/** What doors of one cluster have in common. */
export interface DoorOptions {
  capsule: string;
  /** First process of the cluster. */
  init: number;
  /** The cluster's folder. */
  dir: string;
}

/**
 * Opens a loopback port of the host that leads to `target` (IP:PORT) inside, and gives it. The door is a process of its
 * own that ends with the cluster. One that stands open already is used again, and a port once used is taken again if
 * nobody else has it, so that addresses outlive a restart.
 */
export function openDoor(o: DoorOptions, target: string): Promise<number> {
  return withLock(join(o.dir, "doors.lock"), () => openLocked(o, target));
}

async function openLocked(o: DoorOptions, target: string): Promise<number> {
  const doors = await readDoors(o.dir);
  const known = doors[target];
  if (known?.init === o.init && (await isOpen(known, target))) return known.port;
  const into = (port: number) => start(o, target, ["--map", `127.0.0.1:${port}=${target}`]);
  const opened = await into(known?.port ?? 0).catch((error: unknown) => {
    if (known === undefined) throw error;
    return into(0);
  });
  await writeDoors(o.dir, { ...doors, [target]: opened });
  return opened.port;
}

/**
 * Opens the one way out: OUTSIDE_IP inside leads to `target` (HOST:PORT as this machine finds it), on the same port.
 * Any other way out is closed before, and no new one opened without a target. Like a door it ends with the cluster.
 */
export function openWayOut(o: DoorOptions, target: string | undefined): Promise<void> {
  return withLock(join(o.dir, "doors.lock"), async () => {
    const doors = await readDoors(o.dir);
    for (const [other, door] of Object.entries(doors).filter(([, { outward }]) => outward)) {
      const open = await isOpen(door, other);
      if (open && other === target && door.init === o.init) return;
      if (open) process.kill(door.pid);
      await waitFor(`the way out to ${other} to close`, async () => !(await isOpen(door, other)));
      delete doors[other];
    }
    if (target !== undefined) {
      const listen = `${OUTSIDE_IP}:${target.slice(target.lastIndexOf(":") + 1)}`;
      doors[target] = { ...(await start(o, target, ["--out", `${listen}=${target}`])), outward: true };
    }
    await writeDoors(o.dir, doors);
  });
}

async function start(o: DoorOptions, target: string, way: readonly string[]): Promise<Door> {
  const log = join(o.dir, "log", "door.log");
  const out = openSync(log, "a", 0o600);
  const argv = ["door", "--pid", String(o.init), ...way];
  const child = spawn(o.capsule, argv, { stdio: ["ignore", "pipe", out], detached: true, cwd: "/", env: CLUSTER_ENV });
  closeSync(out);
  if (child.stdout === null) throw new Error("no pipe");
  const failed = once(child, "exit").then(() => undefined);
  const first = await Promise.race([once(child.stdout, "data"), failed]);
  if (first === undefined) throw new Error(`door to ${target}:\n${tail(log)}`);
  child.stdout.destroy();
  child.unref();
  const [address] = z.array(z.string()).parse(JSON.parse(String(first[0])));
  return { pid: child.pid ?? 0, port: Number(address?.split(":")[1]), init: o.init, outward: false };
}

async function writeDoors(dir: string, doors: Record<string, Door>): Promise<void> {
  await writeFile(`${file(dir)}.new`, JSON.stringify(doors));
  await rename(`${file(dir)}.new`, file(dir));
}

/** All doors ever opened by the cluster, by target; whether they still stand is another question. */
async function readDoors(dir: string): Promise<Record<string, Door>> {
  try {
    return doorsSchema.parse(JSON.parse(await readFile(file(dir), "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}

/** Waits until the doors of a cluster that ended have noticed. */
export async function awaitClosedDoors(dir: string): Promise<void> {
  for (const [target, door] of Object.entries(await readDoors(dir))) {
    await waitFor(`the door to ${target} to close`, async () => !(await isOpen(door, target)));
  }
}

/** Whether the recorded process is that door still: a pid may have been given to another since. */
async function isOpen(door: Door, target: string): Promise<boolean> {
  const [program = "", ...args] = await commandLine(door.pid);
  const map = args.some((argument) => argument.endsWith(`=${target}`));
  return basename(program) === "capsule" && args[0] === "door" && args.includes(String(door.init)) && map;
}

const file = (dir: string) => join(dir, "doors.json");
