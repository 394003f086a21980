import { createHash } from "node:crypto";
import { lstat, readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

/** Files that lie among a build's inputs and never go in: tests, and declarations that only the type checker reads. */
const NO_INPUT = /(\.(test|d)\.ts|_test\.go)$/;

/**
 * First 12 hex digits of a SHA-256 over words and the files at `paths` (folders with all below), their names relative to
 * `root`, whether they are executable, and their content. Where the tree lies and when it was written do not count.
 * @throws the file system's error when a path is missing.
 */
export async function hashInputs(
  root: string,
  paths: readonly string[],
  words: readonly string[] = [],
): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(words));
  const files = (await Promise.all(paths.map((path) => listFiles(join(root, path))))).flat();
  for (const file of [...new Set(files)].sort()) {
    const name = relative(root, file);
    if (NO_INPUT.test(name)) continue;
    const { mode } = await lstat(file);
    const content = await readFile(file);
    hash.update(JSON.stringify([name, (mode & 0o100) !== 0, content.length])).update(content);
  }
  return hash.digest("hex").slice(0, 12);
}

async function listFiles(path: string): Promise<string[]> {
  if (!(await lstat(path)).isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
}
