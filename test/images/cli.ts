import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { step } from "#test/cluster/progress.ts";
import {
  ensurePostgresImage,
  ensureRuntimeImage,
  ensureServerImage,
  ensureSimulatorImage,
  type ImageOptions,
  pushImage,
} from "./images.ts";
import { imagesRoot } from "./paths.ts";

const ENSURE = {
  openclaw: ensureRuntimeImage,
  server: ensureServerImage,
  postgres: ensurePostgresImage,
  "model-simulator": ensureSimulatorImage,
};
const NAMES = Object.keys(ENSURE) as (keyof typeof ENSURE)[];
const USAGE = `usage: node test/images/cli.ts [--base IMAGE] COMMAND
  build [NAME...]             build what changed, print name and file of each (names: ${NAMES.join(", ")})
  list                        list the archives that are kept
  push REGISTRY [NAME...]     build, then push to REGISTRY`;

const { values, positionals } = parseArgs({ options: { base: { type: "string" } }, allowPositionals: true });
const [command, ...rest] = positionals;
if (command === "build") await build(namesOf(rest), values);
else if (command === "list") await list();
else if (command === "push" && rest[0]) await push(rest[0], namesOf(rest.slice(1)), values);
else fail(USAGE);

function namesOf(words: readonly string[]): (keyof typeof ENSURE)[] {
  const unknown = words.find((word) => !Object.hasOwn(ENSURE, word));
  if (unknown !== undefined) fail(`no image "${unknown}"\n${USAGE}`);
  return words.length > 0 ? NAMES.filter((name) => words.includes(name)) : NAMES;
}

async function build(names: readonly (keyof typeof ENSURE)[], options: ImageOptions): Promise<void> {
  for (const name of names) {
    const { ref, tar } = await ENSURE[name](options);
    console.log(`${ref}\t${tar}`);
  }
}

async function list(): Promise<void> {
  const files = (await readdir(imagesRoot()).catch(() => [])).filter((file) => file.endsWith(".tar"));
  for (const file of files.sort()) {
    const { size, mtime } = await stat(join(imagesRoot(), file));
    console.log(`${String(Math.round(size / 1e6)).padStart(6)} MB  used ${mtime.toISOString()}  ${file}`);
  }
}

async function push(registry: string, names: readonly (keyof typeof ENSURE)[], options: ImageOptions): Promise<void> {
  for (const name of names) {
    const { ref, tar } = await ENSURE[name](options);
    const remote = `${registry.replace(/\/+$/, "")}/${ref.replace(/^localhost\//, "")}`;
    await step(`push ${remote}`, () => pushImage(tar, remote));
    console.log(remote);
  }
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
