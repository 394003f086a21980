import { lstatSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";

/**
 * Removes from an installed node_modules what a headless gateway on Linux x64 or arm64 with glibc never loads. Each rule
 * says why; the smoke test that follows in the image build is what proves that nothing needed is gone.
 */

/** Whole files and folders, relative to node_modules. */
const UNUSED_PATHS = [
  // Control of a desktop through native drivers: the pod has no display.
  "@trycua",
  // The compiler, needed only by TypeScript plugins in development.
  "typescript",
  // Browsers and their drivers: the image has no browser and the configuration turns the tool off.
  "playwright-core",
  "openclaw/node_modules/chrome-devtools-mcp",
  // Types and documentation tooling.
  "@types",
  // Optional native serializer of the Telegram client's debug build.
  "@ubjs",
  // The web UI; the API serves people, and the configuration turns it off.
  "openclaw/dist/control-ui",
  // The program that a gateway ships to cloud workers; a tenant's gateway has none. (sqlite-store.worker.mjs stays.)
  "openclaw/dist/worker/worker.mjs",
  // Second build of the parser with assertions.
  "web-tree-sitter/debug",
  // Change logs.
  "openclaw/CHANGELOG.md",
];

/** Native binaries for a C library the image does not have. */
const UNUSED_NATIVE = /^musl_(x64|arm64)$/;

/** Of OpenClaw's docs only the templates are read at run time. */
const DOCS = "openclaw/docs";
const DOCS_KEPT = "reference/templates";

/** Declarations, source maps and TypeScript sources: nothing loads them at run time. */
const UNUSED_FILE = /\.(map|d\.[cm]?ts|[cm]?tsx?)$/;

/** Test folders of dependencies; never of OpenClaw itself, whose folders may be called anything. */
const UNUSED_FOLDER = /^(tests?|__tests__)$/;

/** Readmes of dependencies; OpenClaw's own are prompts and skills. */
const README = /\.(md|markdown)$/i;

function remove(path: string): void {
  rmSync(path, { recursive: true, force: true });
}

function pruneTree(folder: string, ofOpenClaw: boolean): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (lstatSync(path).isDirectory()) {
      if (UNUSED_NATIVE.test(name) || (!ofOpenClaw && UNUSED_FOLDER.test(name))) remove(path);
      else pruneTree(path, ofOpenClaw);
    } else if (UNUSED_FILE.test(name) || (!ofOpenClaw && README.test(name))) {
      remove(path);
    }
  }
}

function pruneDocs(docs: string): void {
  const [first = "", second = ""] = DOCS_KEPT.split("/");
  for (const name of readdirSync(docs)) if (name !== first) remove(join(docs, name));
  for (const name of readdirSync(join(docs, first))) if (name !== second) remove(join(docs, first, name));
}

const [modules] = process.argv.slice(2);
if (!modules || basename(modules) !== "node_modules") throw new Error("usage: prune.ts <path of a node_modules>");
for (const path of UNUSED_PATHS) remove(join(modules, path));
pruneDocs(join(modules, DOCS));
for (const entry of readdirSync(modules, { withFileTypes: true })) {
  if (entry.isDirectory()) pruneTree(join(modules, entry.name), entry.name === "openclaw");
}
