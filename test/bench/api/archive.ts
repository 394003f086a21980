import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Where the raw data of a run go. */
export interface Archive {
  readonly dir: string;
  /** Writes samples in milliseconds, in whole microseconds, one to a line. */
  keep(name: string, samplesMs: Float64Array): Promise<void>;
}

/** An archive in a folder there is. */
export function createArchive(dir: string): Archive {
  return {
    dir,
    keep: (name, samples) =>
      writeFile(join(dir, `${name}.txt`), Array.from(samples, (ms) => `${Math.round(ms * 1000)}\n`).join("")),
  };
}
