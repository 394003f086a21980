import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ensureProbe } from "./binaries.ts";
import { cacheRoot } from "./paths.ts";
import { type ImageFile, writeScratchImage } from "./scratch-image.ts";

/** The image of pods that tests of the cluster itself look around with: `/probe COMMAND ...`, see go/probe. */
export async function ensureProbeImage(): Promise<ImageFile> {
  const probe = await ensureProbe();
  const build = basename(dirname(probe)).split("-").at(-1);
  const ref = `localhost/hatchery/probe:${build}`;
  const tar = join(cacheRoot(), "images", `probe-${build}.tar`);
  if (existsSync(tar)) return { ref, tar };
  return writeScratchImage({ ref, files: { probe }, entrypoint: ["/probe"] }, tar);
}
