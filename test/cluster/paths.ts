import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** What outlives a run and may be thrown away at any time: built binaries, image layers. */
export function cacheRoot(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "hatchery");
}

/** Where clusters keep their state, one folder each. */
export function stateRoot(): string {
  return process.env.HATCHERY_STATE || join(cacheRoot(), "clusters");
}

/** An absolute path beside this file. */
export function here(...parts: string[]): string {
  return join(fileURLToPath(new URL(".", import.meta.url)), ...parts);
}
