import { ensureCapsule, ensureCsi, ensureKubeBinaries, type KubeBinaries } from "./binaries.ts";
import { CLUSTER_PACKAGES, ensurePackages } from "./packages.ts";
import { ensurePauseImage } from "./pause.ts";
import type { ImageFile } from "./scratch-image.ts";

/** Everything a cluster is started with. */
export interface Tools extends KubeBinaries {
  capsule: string;
  /** Folder of the storage driver and its sidecars. */
  csiDir: string;
  pauseImage: ImageFile;
}

/** Installs and builds what is missing on this machine; a second call finds all of it. */
export async function ensureTools(): Promise<Tools> {
  if (process.getuid?.() !== 0) throw new Error("a cluster on this machine needs root: it makes namespaces and mounts");
  await ensurePackages(CLUSTER_PACKAGES);
  // One after the other: each build keeps all cores busy by itself, and two at once need twice the memory.
  const kube = await ensureKubeBinaries();
  const csiDir = await ensureCsi();
  const capsule = await ensureCapsule();
  return { ...kube, csiDir, capsule, pauseImage: await ensurePauseImage(capsule) };
}
