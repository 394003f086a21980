import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hashInputs } from "#test/cluster/input-hash.ts";
import { withLock } from "#test/cluster/lock.ts";
import { cacheRoot } from "#test/cluster/paths.ts";
import { step } from "#test/cluster/progress.ts";
import { ensureArchive, type ImageArchive } from "./archive.ts";
import { baseImageRef, ensureBaseImage } from "./base.ts";
import { buildImage } from "./buildah.ts";
import { withBundles } from "./bundles.ts";
import { imagesRoot, ROOT } from "./paths.ts";

export { type ImageArchive, pushImage } from "./archive.ts";

/** What the runtime image is made of. Its name depends on nothing else: a new name means a new pod for every tenant. */
const RUNTIME_INPUTS = [
  "runtime-image/Dockerfile",
  "runtime-image/Dockerfile.dockerignore",
  "runtime-image/openclaw",
  "runtime-image/plugin",
  "runtime-image/prune.ts",
  "runtime-image/start.sh",
];

/**
 * What its smoke test is made of besides: with any other, the image has to prove itself again. Not crds/names.ts: all the
 * configuration takes from there is the port, and the smoke test has one of its own.
 */
export const SMOKE_INPUTS = [
  "runtime-image/smoke",
  "runtime-image/smoke.ts",
  "operator/build/config-keys.ts",
  "operator/build/forbidden-config.ts",
  "operator/build/openclaw-config.ts",
];

const SERVER_DOCKERFILE = "runtime-image/server/Dockerfile";
const POSTGRES_FOLDER = "runtime-image/postgres";

/** How the images are made. */
export interface ImageOptions {
  /** The image to build from, pulled if need be; by default one made here from Debian packages and Node. */
  readonly base?: string | undefined;
}

/** The image of a tenant's pod: OpenClaw and what an agent wants at hand. Its build ends with a smoke test. */
export async function ensureRuntimeImage(options: ImageOptions = {}): Promise<ImageArchive> {
  const base = await chooseBase(options);
  const hash = await hashInputs(ROOT, RUNTIME_INPUTS, [base.ref, process.arch]);
  const ref = `localhost/hatchery/openclaw:${await openClawVersion()}-${hash}`;
  const proof = join(imagesRoot(), `openclaw-${hash}-${await hashInputs(ROOT, SMOKE_INPUTS)}.proven`);
  const build = async (name: string) => {
    const dockerfile = join(ROOT, "runtime-image/Dockerfile");
    await base.ensure();
    await buildImage({ ref: name, dockerfile, context: ROOT, args: { BASE: base.ref } });
    await writeFile(proof, "");
  };
  const title = "build the OpenClaw image, with a smoke test (about 3 min the first time)";
  const archive = await ensureArchive({ name: "openclaw", title, hash, ref, build: () => build(ref) });
  await ensureProven(proof, () => build("localhost/hatchery/openclaw-smoke"));
  return archive;
}

/** Builds once more when the image is as it was but its smoke test is not; only the test is run, the rest is at hand. */
async function ensureProven(proof: string, build: () => Promise<void>): Promise<void> {
  if (existsSync(proof)) return;
  await step("repeat the smoke test of the OpenClaw image", () =>
    withLock(join(cacheRoot(), "locks", "image-openclaw"), async () => {
      if (!existsSync(proof)) await build();
    }),
  );
}

/** The image of operator, API, its migrations, the check of its ledger, and model gateway. */
export function ensureServerImage(options: ImageOptions = {}): Promise<ImageArchive> {
  return ensureBundleImage("server", ["operator", "api", "migrate", "ledger", "model-gateway"], options);
}

/** A stand-in for the official image of Postgres, from the base's Debian. */
export async function ensurePostgresImage(options: ImageOptions = {}): Promise<ImageArchive> {
  const base = await chooseBase(options);
  const hash = await hashInputs(ROOT, [POSTGRES_FOLDER], [base.ref, process.arch]);
  const ref = `localhost/hatchery/postgres:${hash}`;
  return ensureArchive({
    name: "postgres",
    title: "build the Postgres image",
    hash,
    ref,
    build: async () => {
      await base.ensure();
      const context = join(ROOT, POSTGRES_FOLDER);
      await buildImage({ ref, dockerfile: join(context, "Dockerfile"), context, args: { BASE: base.ref } });
    },
  });
}

/** The image of the simulated model provider; started as `node /app/model-simulator.mjs`. */
export function ensureSimulatorImage(options: ImageOptions = {}): Promise<ImageArchive> {
  return ensureBundleImage("model-simulator", ["model-simulator"], options);
}

/** Node and bundles. What was bundled is hashed, so that a comment changed in a source makes no new image. */
async function ensureBundleImage(
  name: string,
  bundles: readonly string[],
  options: ImageOptions,
): Promise<ImageArchive> {
  const base = await chooseBase(options);
  return withBundles(bundles, async (context) => {
    const dockerfile = join(ROOT, SERVER_DOCKERFILE);
    const words = [base.ref, process.arch, await readFile(dockerfile, "utf8")];
    const hash = await hashBundles(context, bundles, words);
    const ref = `localhost/hatchery/${name}:${hash}`;
    return ensureArchive({
      name,
      title: `build the ${name} image`,
      hash,
      ref,
      build: async () => {
        await base.ensure();
        await buildImage({ ref, dockerfile, context, args: { BASE: base.ref } });
      },
    });
  });
}

/**
 * The hash of bundles in `folder` and of words. Source maps do not count: they repeat the sources, comments and all, and no
 * line of a bundle depends on them.
 */
export function hashBundles(folder: string, bundles: readonly string[], words: readonly string[]): Promise<string> {
  return hashInputs(
    folder,
    bundles.map((name) => `${name}.mjs`),
    words,
  );
}

/** The base to build from; only a build asks whether it is there. */
async function chooseBase(options: ImageOptions): Promise<{ ref: string; ensure(): Promise<void> }> {
  if (options.base !== undefined) return { ref: options.base, ensure: async () => undefined };
  const ref = await baseImageRef();
  return { ref, ensure: () => ensureBaseImage(ref) };
}

async function openClawVersion(): Promise<string> {
  const { dependencies } = JSON.parse(await readFile(join(ROOT, "runtime-image/openclaw/package.json"), "utf8")) as {
    dependencies: { openclaw: string };
  };
  return dependencies.openclaw;
}
