import { readFile } from "node:fs/promises";

/** Ticks of the CPU times in /proc; 100 on every Linux there is. */
const TICKS_PER_SECOND = 100;

/** Seconds in which a core ran processes so far, or would have but for its host. */
export async function readCoreSeconds(core: number): Promise<number> {
  return coreSecondsIn(await readFile("/proc/stat", "utf8"), core);
}

/** The same, of the text of /proc/stat. Interrupts are left out: no process has them on its account either. */
export function coreSecondsIn(stat: string, core: number): number {
  const [, line] = new RegExp(`^cpu${core} (.*)$`, "m").exec(stat) ?? [];
  if (line === undefined) throw new Error(`there is no core ${core}`);
  const [user = 0, nice = 0, system = 0, , , , , stolen = 0] = line.trim().split(/\s+/).map(Number);
  return (user + nice + system + stolen) / TICKS_PER_SECOND;
}
