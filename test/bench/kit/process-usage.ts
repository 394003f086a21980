import { readFile } from "node:fs/promises";

/** What a process used so far: CPU in seconds, resident memory now and at its highest in bytes. */
export interface Usage {
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  readonly peakBytes: number;
}

/** Ticks of the CPU times in /proc; 100 on every Linux there is. */
const TICKS_PER_SECOND = 100;

/** What a running process used. @throws Error when there is none. */
export async function readUsage(pid: number): Promise<Usage> {
  const [stat, status] = await Promise.all([
    readFile(`/proc/${pid}/stat`, "utf8"),
    readFile(`/proc/${pid}/status`, "utf8"),
  ]);
  return { cpuSeconds: cpuSecondsIn(stat), rssBytes: bytesIn(status, "VmRSS"), peakBytes: bytesIn(status, "VmHWM") };
}

/** User and system time of all threads, of the text of /proc/PID/stat. */
export function cpuSecondsIn(stat: string): number {
  // The name in brackets may hold blanks and brackets of its own.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** A line of /proc/PID/status that is given in kB; 0 where there is none. */
export function bytesIn(status: string, name: string): number {
  const [, kilobytes = "0"] = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status) ?? [];
  return Number(kilobytes) * 1024;
}
