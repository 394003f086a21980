import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { hashInputs } from "#test/cluster/input-hash.ts";
import { withLock } from "#test/cluster/lock.ts";
import { cacheRoot } from "#test/cluster/paths.ts";
import { type ImageFile, writeScratchImage } from "#test/cluster/scratch-image.ts";
import { run } from "#test/cluster/shell.ts";

const SOURCE = fileURLToPath(new URL(".", import.meta.url));
const BUILD = ["go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w"];

/** Where OpenClaw's own command is looked for. */
const COMMAND = "usr/local/bin/openclaw";

/**
 * The image of a stand-in for OpenClaw of a few megabytes, for tests that need many pods and no chat; or of one that takes
 * every configuration and then ends at each start. Built when its source changed.
 */
export async function ensureLightGatewayImage({ broken = false } = {}): Promise<ImageFile> {
  const entrypoint = ["/light-gateway", ...(broken ? ["broken"] : [])];
  const hash = await hashInputs(SOURCE, ["go.mod", "main.go"], [process.arch, ...BUILD, ...entrypoint, COMMAND]);
  const ref = `localhost/hatchery/light-gateway:${hash}`;
  const tar = join(cacheRoot(), "images", `light-gateway-${hash}.tar`);
  await withLock(join(cacheRoot(), "locks", "image-light-gateway"), async () => {
    if (!existsSync(tar)) await build(ref, entrypoint, tar);
  });
  return { ref, tar };
}

async function build(ref: string, entrypoint: readonly string[], tar: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "hatchery-light-gateway-"));
  try {
    const binary = join(work, "light-gateway");
    await run([...BUILD, "-o", binary, "."], { cwd: SOURCE, env: { CGO_ENABLED: "0" } });
    await writeScratchImage({ ref, files: { "light-gateway": binary, [COMMAND]: binary }, entrypoint }, tar);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}
