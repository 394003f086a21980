import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { generatedFiles } from "./outputs.ts";

/*
 * node crds/generate/main.ts            writes every generated file
 * node crds/generate/main.ts --check    changes nothing; names the files that are out of date and exits 1
 */

const root = new URL("../../", import.meta.url);

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

const stale: [string, string][] = [];
for (const [path, text] of generatedFiles()) if (!(await isCurrent(path, text))) stale.push([path, text]);

if (process.argv.includes("--check")) {
  for (const [path] of stale) console.error(`out of date: ${path}`);
  if (stale.length > 0) {
    console.error("run: node crds/generate/main.ts");
    process.exitCode = 1;
  }
} else {
  for (const [path, text] of stale) {
    await write(path, text);
    console.log(`wrote ${path}`);
  }
}
