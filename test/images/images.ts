import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ensureArchive, type ImageArchive } from "./archive.ts";
import { ensureBaseImage } from "./base.ts";
import { buildImage } from "./buildah.ts";
import { withBundles } from "./bundles.ts";
import { hashInputs } from "./input-hash.ts";
import { ROOT } from "./paths.ts";

export { type ImageArchive, pushImage } from "./archive.ts";

/** All that goes into the runtime image, its smoke test included: what fails it must not be cached as good. */
const RUNTIME_INPUTS = [
  "runtime-image/Dockerfile",
  "runtime-image/Dockerfile.dockerignore",
  "runtime-image/openclaw",
  "runtime-image/plugin",
  "runtime-image/prune.ts",
  "runtime-image/smoke",
  "runtime-image/smoke.ts",
  "runtime-image/start.sh",
  "operator/build/forbidden-config.ts",
  "operator/build/openclaw-config.ts",
  "crds/names.ts",
];

const SERVER_DOCKERFILE = "runtime-image/server/Dockerfile";

/** How the images are made. */
export interface ImageOptions {
  /** The image to build from, pulled if need be; by default one made here from Debian packages and Node. */
  readonly base?: string | undefined;
}

/** The image of a tenant's pod: OpenClaw and what an agent wants at hand. Its build ends with a smoke test. */
export async function ensureRuntimeImage(options: ImageOptions = {}): Promise<ImageArchive> {
  const base = options.base ?? (await ensureBaseImage());
  const hash = await hashInputs(ROOT, RUNTIME_INPUTS, [base, process.arch]);
  const ref = `localhost/hatchery/openclaw:${await openClawVersion()}-${hash}`;
  const dockerfile = join(ROOT, "runtime-image/Dockerfile");
  return ensureArchive({
    name: "openclaw",
    title: "build the OpenClaw image, with a smoke test (about 3 min the first time)",
    hash,
    ref,
    build: () => buildImage({ ref, dockerfile, context: ROOT, args: { BASE: base } }),
  });
}

/** The image of operator, API and model gateway. */
export function ensureServerImage(options: ImageOptions = {}): Promise<ImageArchive> {
  return ensureBundleImage("server", ["operator", "api", "model-gateway"], options);
}

/** The image of the simulated model provider; started as `node /app/model-simulator.mjs`. */
export function ensureSimulatorImage(options: ImageOptions = {}): Promise<ImageArchive> {
  return ensureBundleImage("model-simulator", ["model-simulator"], options);
}

/** Node and bundles. The bundles themselves are hashed, so that a comment changed in a source makes no new image. */
async function ensureBundleImage(
  name: string,
  bundles: readonly string[],
  options: ImageOptions,
): Promise<ImageArchive> {
  const base = options.base ?? (await ensureBaseImage());
  return withBundles(bundles, async (context) => {
    const dockerfile = join(ROOT, SERVER_DOCKERFILE);
    const words = [base, process.arch, await readFile(dockerfile, "utf8")];
    const hash = await hashInputs(context, ["."], words);
    const ref = `localhost/hatchery/${name}:${hash}`;
    return ensureArchive({
      name,
      title: `build the ${name} image`,
      hash,
      ref,
      build: () => buildImage({ ref, dockerfile, context, args: { BASE: base } }),
    });
  });
}

async function openClawVersion(): Promise<string> {
  const { dependencies } = JSON.parse(await readFile(join(ROOT, "runtime-image/openclaw/package.json"), "utf8")) as {
    dependencies: { openclaw: string };
  };
  return dependencies.openclaw;
}
