import { existsSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ensurePackages, type Package } from "#test/cluster/packages.ts";
import { type RunOptions, run } from "#test/cluster/shell.ts";
import { imagesRoot } from "./paths.ts";

/** What image builds need of the machine. */
export const IMAGE_PACKAGES: readonly Package[] = [
  ["buildah", "buildah"],
  ["mmdebstrap", "mmdebstrap"],
  ["skopeo", "skopeo"],
];

/** One build of a Dockerfile. */
export interface Build {
  /** Name and tag in the builder's storage, and later in the archive. */
  readonly ref: string;
  readonly dockerfile: string;
  readonly context: string;
  readonly args?: Readonly<Record<string, string>>;
}

/** Runs buildah or skopeo with a storage of our own, apart from what the machine's user keeps in his. */
export async function runWithStorage(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const root = join(imagesRoot(), "storage");
  const tmp = join(root, "tmp");
  await mkdir(tmp, { recursive: true });
  const conf = join(root, "storage.conf");
  const lines = ["[storage]", 'driver = "overlay"', `graphroot = "${root}/graph"`, `runroot = "${root}/run"`, ""];
  await writeFile(`${conf}.${process.pid}`, lines.join("\n"));
  await rename(`${conf}.${process.pid}`, conf);
  return run(argv, { ...options, env: { ...options.env, CONTAINERS_STORAGE_CONF: conf, TMPDIR: tmp } });
}

/**
 * Builds an image into the builder's storage. Its commands run in a chroot with the network of the machine: that takes
 * no rights beyond root, no container runtime and leaves no bridge behind.
 */
export async function buildImage(build: Build): Promise<void> {
  await ensurePackages(IMAGE_PACKAGES);
  const args = Object.entries({ ...(await registryArgs()), ...build.args });
  await runWithStorage([
    "buildah",
    "build",
    "--isolation=chroot",
    "--layers",
    "--format=docker",
    ...args.flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ...lentSecrets(),
    ...ignoreFile(build.dockerfile),
    `--file=${build.dockerfile}`,
    `--tag=${build.ref}`,
    build.context,
  ]);
}

/** True when the builder's storage has the image. */
export async function hasImage(ref: string): Promise<boolean> {
  return (await runWithStorage(["buildah", "images", "--quiet", "--filter", `reference=${ref}`])).trim() !== "";
}

/** Writes an image of the builder's storage to a file as `docker save` does; the file is there whole or not at all. */
export async function exportImage(ref: string, tar: string): Promise<void> {
  const unfinished = `${tar}.${process.pid}`;
  try {
    await runWithStorage(["buildah", "push", ref, `docker-archive:${unfinished}:${ref}`]);
    await rename(unfinished, tar);
  } finally {
    await rm(unfinished, { force: true });
  }
}

/**
 * A machine that reaches registries through a CA of its own says so in these variables; the bundle is lent to the build
 * as a secret, so that no image carries it.
 */
function lentSecrets(): string[] {
  const bundle = process.env.NODE_EXTRA_CA_CERTS || process.env.SSL_CERT_FILE;
  return bundle && existsSync(bundle) ? ["--secret", `id=ca-bundle,src=${bundle}`] : [];
}

/** The npm registry this machine uses. */
async function registryArgs(): Promise<Record<string, string>> {
  return { NPM_CONFIG_REGISTRY: (await run(["npm", "config", "get", "registry"])).trim() };
}

function ignoreFile(dockerfile: string): string[] {
  const file = `${dockerfile}.dockerignore`;
  return existsSync(file) ? ["--ignorefile", file] : [];
}
