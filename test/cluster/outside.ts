import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type DoorOptions, openWayOut } from "./door.ts";
import type { Layout } from "./layout.ts";
import { OUTSIDE_IP } from "./network.ts";

/** A service outside of the cluster: on this machine, or wherever this machine gets to. */
export interface Outside {
  /** What it is called inside. */
  name: string;
  /** HOST:PORT as this machine finds it; inside it has the same port. */
  target: string;
}

/**
 * Lets pods out to one service, in place of any they were let out to before; without one to none. Nothing else of the world
 * is reached from inside, so this is how a pod gets to a model provider. Connections are the host's own: whatever routes,
 * names and certificates hold there hold inside.
 */
export async function letOut(layout: Layout, door: DoorOptions, outside: Outside | undefined): Promise<void> {
  await openWayOut(door, outside?.target);
  await writeNames(layout, outside === undefined ? "" : `${OUTSIDE_IP} ${outside.name}\n`);
}

/** Writes the names in the form of /etc/hosts, at one stroke; the cluster's DNS looks every second. */
export async function writeNames({ namesDir }: Layout, names: string): Promise<void> {
  await mkdir(namesDir, { recursive: true });
  await writeFile(join(namesDir, "hosts.new"), names);
  await rename(join(namesDir, "hosts.new"), join(namesDir, "hosts"));
}
