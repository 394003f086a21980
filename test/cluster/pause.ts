import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { cacheRoot } from "./paths.ts";
import { type ImageFile, writeScratchImage } from "./scratch-image.ts";

/** The image of every pod's first container, made of `capsule` alone, which reaps and waits. */
export async function ensurePauseImage(capsule: string): Promise<ImageFile> {
  const build = basename(dirname(capsule)).split("-").at(-1);
  const ref = `localhost/hatchery/pause:${build}`;
  const tar = join(cacheRoot(), "images", `pause-${build}.tar`);
  if (existsSync(tar)) return { ref, tar };
  return writeScratchImage({ ref, files: { pause: capsule }, entrypoint: ["/pause"] }, tar);
}
