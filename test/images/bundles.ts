import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "#test/cluster/lock.ts";
import { cacheRoot } from "#test/cluster/paths.ts";
import { run } from "#test/cluster/shell.ts";
import { imagesRoot, ROOT } from "./paths.ts";

/** Bundles processes and lends `use` a folder that holds them and their source maps, nothing else. */
export async function withBundles<T>(names: readonly string[], use: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(imagesRoot(), { recursive: true });
  const folder = await mkdtemp(join(imagesRoot(), "bundles-"));
  try {
    // The bundler writes to one folder of the work tree; two at a time would see each other's half-written files.
    await withLock(join(cacheRoot(), "locks", "bundle"), async () => {
      await run([process.execPath, "bundle.ts", ...names], { cwd: ROOT });
      for (const file of names.flatMap((name) => [`${name}.mjs`, `${name}.mjs.map`])) {
        await copyFile(join(ROOT, "dist", file), join(folder, file));
      }
    });
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
