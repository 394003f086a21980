import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { waitFor } from "./wait.ts";

const ROOT = "/sys/fs/cgroup";
/** Controllers a kubelet needs in the unified hierarchy. */
const NEEDED = "+cpu +cpuset +memory +pids +io";

/** True where the machine has the unified hierarchy only (cgroup v2). */
const isUnified = () => existsSync(join(ROOT, "cgroup.controllers"));

/** The hierarchies of this machine: one folder with cgroup v2, one for each controller with v1. */
async function hierarchies(): Promise<string[]> {
  if (isUnified()) return [ROOT];
  const entries = await readdir(ROOT, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(ROOT, entry.name));
}

/**
 * Makes the groups `ID/GROUP` in every hierarchy, ready for a kubelet to make its own below them.
 * Processes belong into leaves, so a group either holds processes or is a kubelet's root.
 */
export async function createCgroups(id: string, groups: readonly string[]): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    for (const group of groups) await mkdir(join(hierarchy, id, group), { recursive: true });
    if (isUnified()) {
      for (const parent of [hierarchy, join(hierarchy, id)])
        await writeFile(join(parent, "cgroup.subtree_control"), NEEDED);
    } else if (hierarchy.endsWith("/cpuset")) {
      for (const group of [id, ...groups.map((name) => join(id, name))]) await inheritCpuset(hierarchy, group);
    }
  }
}

/** In v1 a new group has no CPUs and no memory nodes until somebody says which. */
async function inheritCpuset(hierarchy: string, group: string): Promise<void> {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    await writeFile(join(hierarchy, group, file), await readFile(join(hierarchy, file)));
  }
}

/** The files a process writes 0 to in order to become part of a group. */
export function joinFiles(id: string, group: string): string[] {
  return [join(ROOT, isUnified() ? "" : "memory", id, group, "cgroup.procs")];
}

/** Removes all groups below `id`; waits for processes in them to end. Fine when there are none. */
export async function removeCgroups(id: string): Promise<void> {
  for (const hierarchy of await hierarchies()) {
    const top = join(hierarchy, id);
    await waitFor(`removal of ${top}`, async () => {
      await removeTree(top);
      return !existsSync(top);
    });
  }
}

/** Groups vanish from the leaves up; a busy one throws. */
async function removeTree(folder: string): Promise<void> {
  if (!existsSync(folder)) return;
  const children = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  for (const child of children) await removeTree(join(folder, child.name));
  await rmdir(folder);
}
