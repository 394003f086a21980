import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { hashInputs } from "#test/cluster/input-hash.ts";
import { withLock } from "#test/cluster/lock.ts";
import { ensurePackages } from "#test/cluster/packages.ts";
import { cacheRoot } from "#test/cluster/paths.ts";
import { step } from "#test/cluster/progress.ts";
import { run } from "#test/cluster/shell.ts";
import { buildImage, hasImage, IMAGE_PACKAGES } from "./buildah.ts";
import { imagesRoot, ROOT } from "./paths.ts";

/** What the base is made of. */
const SUITE = "bookworm";
const NODE_VERSION = "24.21.0";
const NPM_VERSION = "11.19.1";
const INPUTS = ["test/images/base.Dockerfile"];

/** Manuals, translations and the like: the official slim images leave them out the same way. */
const LEFT_OUT = ["doc", "groff", "info", "linda", "lintian", "locale", "man"];

/** Name of the base in the builder's storage; says nothing about whether it is there. */
export async function baseImageRef(): Promise<string> {
  const words = [process.arch, SUITE, NODE_VERSION, NPM_VERSION, ...LEFT_OUT];
  return `localhost/hatchery/base:${await hashInputs(ROOT, INPUTS, words)}`;
}

/**
 * Makes, once, a stand-in for `node:24-bookworm-slim`: Debian packages from the mirror this machine uses (or Debian's
 * own), Node and npm from the npm registry.
 */
export async function ensureBaseImage(ref: string): Promise<void> {
  await ensurePackages(IMAGE_PACKAGES);
  await mkdir(imagesRoot(), { recursive: true });
  await withLock(join(cacheRoot(), "locks", "image-base"), async () => {
    if (await hasImage(ref)) return;
    const context = await mkdtemp(join(imagesRoot(), "base-"));
    try {
      await step("make a base image from Debian packages and Node (about 1 min)", async () => {
        await Promise.all([makeRootfs(context), fetchNode(context), fetchNpm(context)]);
        await buildImage({ ref, dockerfile: join(ROOT, "test/images/base.Dockerfile"), context });
      });
    } finally {
      await rm(context, { recursive: true, force: true });
    }
  });
}

async function makeRootfs(context: string): Promise<void> {
  const options = [
    ...LEFT_OUT.map((folder) => `path-exclude=/usr/share/${folder}/*`),
    "path-include=/usr/share/doc/*/copyright",
  ];
  const dpkg = options.map((option) => `--dpkgopt=${option}`);
  const argv = ["mmdebstrap", "--variant=minbase", "--include=ca-certificates", ...dpkg, SUITE];
  // Without sources mmdebstrap takes Debian's own servers.
  await run([...argv, join(context, "rootfs.tar"), ...(await debianSources())]);
}

/** Our suite on the Debian mirrors that this machine's apt uses, whatever release it runs; nothing when it uses none. */
async function debianSources(): Promise<string[]> {
  const format = "$(ORIGIN) $(CREATED_BY) $(COMPONENT) $(RELEASE) $(SITE)";
  const targets = await run(["apt-get", "indextargets", "--format", format]);
  const sites = new Map<"main" | "security", string>();
  for (const line of targets.split("\n")) {
    const [, release = "", site = ""] = /^Debian Packages main (\S+) (\S+)$/.exec(line) ?? [];
    if (release.endsWith("-security")) sites.set("security", site);
    else if (/^\w+$/.test(release)) sites.set("main", site);
  }
  const [main, security] = [sites.get("main"), sites.get("security")];
  return [
    ...(main ? [`deb ${main} ${SUITE} main`, `deb ${main} ${SUITE}-updates main`] : []),
    ...(main && security ? [`deb ${security} ${SUITE}-security main`] : []),
  ];
}

async function fetchNode(context: string): Promise<void> {
  const folder = await unpackFromNpm(`node-linux-${process.arch}@${NODE_VERSION}`, context);
  await rename(join(folder, "bin", "node"), join(context, "node"));
}

async function fetchNpm(context: string): Promise<void> {
  await rename(await unpackFromNpm(`npm@${NPM_VERSION}`, context), join(context, "npm"));
}

/** Downloads a package (npm verifies its checksum) and gives the folder of its content. */
async function unpackFromNpm(spec: string, context: string): Promise<string> {
  const folder = await mkdtemp(join(context, ".npm-"));
  const file = (await run(["npm", "pack", "--silent", spec], { cwd: folder })).trim();
  await run(["tar", "--extract", "--gzip", "--file", file], { cwd: folder });
  return join(folder, "package");
}
