import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheRoot } from "#test/cluster/paths.ts";

/** Root of the work tree. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Where finished images and the builder's own storage are kept. */
export function imagesRoot(): string {
  return join(cacheRoot(), "images");
}
