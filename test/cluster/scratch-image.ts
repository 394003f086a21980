import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { run } from "./shell.ts";

/** An image in a file, as `docker save` writes it. */
export interface ImageFile {
  ref: string;
  /** Path of the archive. */
  tar: string;
}

/** Everything that would make two archives of the same files differ. */
const REPRODUCIBLE = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"];
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

/** What a scratch image holds. */
export interface ScratchImage {
  ref: string;
  /** Path in the image (without leading slash) to path of a static executable here. */
  files: Readonly<Record<string, string>>;
  entrypoint: readonly string[];
}

/** Writes an image of nothing but the given executables to `tar`. No image builder is needed for that. */
export async function writeScratchImage(image: ScratchImage, tar: string): Promise<ImageFile> {
  const work = await mkdtemp(join(tmpdir(), "hatchery-image-"));
  try {
    const root = join(work, "root");
    for (const [path, source] of Object.entries(image.files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await copyFile(source, join(root, path));
    }
    const layer = join(work, "layer.tar");
    await run(["chmod", "-R", "a+rX", root]);
    await run(["tar", ...REPRODUCIBLE, "-C", root, "-cf", layer, "."]);
    const config = JSON.stringify({
      architecture: ARCHITECTURES[process.arch] ?? process.arch,
      os: "linux",
      config: { Entrypoint: image.entrypoint },
      rootfs: { type: "layers", diff_ids: [`sha256:${sha256(await readFile(layer))}`] },
    });
    const configName = `${sha256(config)}.json`;
    await writeFile(join(work, configName), config);
    const manifest = [{ Config: configName, RepoTags: [image.ref], Layers: ["layer.tar"] }];
    await writeFile(join(work, "manifest.json"), JSON.stringify(manifest));
    await mkdir(dirname(tar), { recursive: true });
    const unfinished = join(dirname(tar), `.${basename(work)}`);
    await run(["tar", ...REPRODUCIBLE, "-C", work, "-cf", unfinished, "manifest.json", configName, "layer.tar"]);
    await rename(unfinished, tar);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return { ref: image.ref, tar };
}

const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("hex");
