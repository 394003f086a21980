import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * Runs `work` while this process alone, of all on the machine, holds `file`. The kernel's lock is held by a small child
 * that ends with this process, so a crash leaves nothing locked.
 */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const holder = spawn("flock", [file, "sh", "-c", "echo locked; exec cat"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(holder, "close");
  const locked = await Promise.race([once(holder.stdout, "data").then(() => true), ended.then(() => false)]);
  if (!locked) throw new Error(`cannot lock ${file}`);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
