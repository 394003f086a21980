import { existsSync } from "node:fs";
import { join } from "node:path";
import { ensurePackages } from "./packages.ts";
import { cacheRoot } from "./paths.ts";
import { type ImageFile, writeScratchImage } from "./scratch-image.ts";

/** A small image with a shell and the usual programs, all as `/bin/busybox PROGRAM`. For tests of the cluster itself. */
export async function ensureBusyboxImage(): Promise<ImageFile> {
  await ensurePackages([["busybox-static", "/usr/share/doc/busybox-static"]]);
  const ref = "localhost/hatchery/busybox:1";
  const tar = join(cacheRoot(), "images", "busybox-1.tar");
  if (existsSync(tar)) return { ref, tar };
  return writeScratchImage({ ref, files: { "bin/busybox": "/bin/busybox" }, entrypoint: ["/bin/busybox"] }, tar);
}
