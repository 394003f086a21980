import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const root = new URL("../../", import.meta.url);

/**
 * Writes the generated files that are not there as they should be, by their paths from the top of the repository; with `check`
 * nothing is changed, and the process ends with 1 if there are any. `command` is what writes them.
 */
export async function writeOrCheck(
  files: ReadonlyMap<string, string>,
  { check, command }: { check: boolean; command: string },
): Promise<void> {
  const stale: [string, string][] = [];
  for (const [path, text] of files) if (!(await isCurrent(path, text))) stale.push([path, text]);
  if (check && stale.length > 0) {
    for (const [path] of stale) console.error(`out of date: ${path}`);
    console.error(`run: ${command}`);
    process.exitCode = 1;
  }
  if (check) return;
  for (const [path, text] of stale) {
    await write(path, text);
    console.log(`wrote ${path}`);
  }
}

async function isCurrent(path: string, text: string): Promise<boolean> {
  const present = await readFile(new URL(path, root), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  return present === text;
}

async function write(path: string, text: string): Promise<void> {
  const file = fileURLToPath(new URL(path, root));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
