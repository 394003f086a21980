import { existsSync } from "node:fs";
import { mkdir, readdir, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "#test/cluster/lock.ts";
import { ensurePackages } from "#test/cluster/packages.ts";
import { cacheRoot } from "#test/cluster/paths.ts";
import { step } from "#test/cluster/progress.ts";
import { exportImage, IMAGE_PACKAGES, runWithStorage } from "./buildah.ts";
import { imagesRoot } from "./paths.ts";

/** So many versions of an image are kept: several work trees may want different ones at a time. */
const KEPT = 4;

/** An image in a file that `ctr images import` and `skopeo` take. */
export interface ImageArchive {
  /** Its full name, `localhost/...:<tag>`. */
  readonly ref: string;
  /** Path of the file. */
  readonly tar: string;
}

/** What makes up an archive: `build` puts `ref` into the builder's storage, `hash` covers all that goes in. */
export interface ArchiveInput {
  readonly name: string;
  readonly title: string;
  readonly hash: string;
  readonly ref: string;
  build(): Promise<void>;
}

/** The archive of an image, built when no file of this hash exists. Of several processes that ask, one builds. */
export async function ensureArchive(input: ArchiveInput): Promise<ImageArchive> {
  const tar = join(imagesRoot(), `${input.name}-${input.hash}.tar`);
  const archive = { ref: input.ref, tar };
  if (existsSync(tar)) {
    const now = new Date();
    await utimes(tar, now, now);
    return archive;
  }
  await mkdir(imagesRoot(), { recursive: true });
  // The step is around the lock: waiting for another process that builds takes as long as building.
  await step(input.title, () =>
    withLock(join(cacheRoot(), "locks", `image-${input.name}`), async () => {
      if (existsSync(tar)) return;
      await input.build();
      await exportImage(input.ref, tar);
      await removeOld(input.name);
    }),
  );
  return archive;
}

/** Copies an archive to `<registry>/<name>:<tag>`; a registry on loopback is spoken to in plain HTTP. */
export async function pushImage(tar: string, reference: string): Promise<void> {
  await ensurePackages(IMAGE_PACKAGES);
  const [host = ""] = reference.split("/");
  const plain = /^(localhost|127(\.\d+){3}|\[::1\])(:\d+)?$/.test(host);
  const tls = plain ? ["--dest-tls-verify=false"] : [];
  await runWithStorage(["skopeo", "copy", "--quiet", ...tls, `docker-archive:${tar}`, `docker://${reference}`]);
}

/** Removes all but the archives that were used last, here and in the builder's storage. */
async function removeOld(name: string): Promise<void> {
  const pattern = new RegExp(`^${name}-([0-9a-f]{12})\\.tar$`);
  const found = (await readdir(imagesRoot())).flatMap((file) => {
    const [, hash] = pattern.exec(file) ?? [];
    return hash === undefined ? [] : [{ hash, path: join(imagesRoot(), file) }];
  });
  const dated = await Promise.all(found.map(async (one) => ({ ...one, used: (await stat(one.path)).mtimeMs })));
  const kept = new Set(
    dated
      .sort((a, b) => b.used - a.used)
      .slice(0, KEPT)
      .map(({ hash }) => hash),
  );
  for (const { hash, path } of dated) if (!kept.has(hash)) await rm(path, { force: true });
  const stored = await runWithStorage(["buildah", "images", "--format", "{{.Name}}:{{.Tag}}"]);
  const mounted = (await runWithStorage(["buildah", "containers", "--format", "{{.ImageName}}"])).split("\n");
  const old = stored.split("\n").filter((ref) => {
    const [, hash] = new RegExp(`^localhost/hatchery/${name}:(?:.*-)?([0-9a-f]{12})$`).exec(ref) ?? [];
    return hash !== undefined && !kept.has(hash) && !mounted.includes(ref);
  });
  if (old.length > 0) await runWithStorage(["buildah", "rmi", ...old]);
}
