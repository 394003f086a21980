import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { thinSourceMap } from "./bundle-map.ts";

const ROOT = fileURLToPath(new URL(".", import.meta.url));

/** The processes: bundle name to entry file. */
export const ENTRY_FILES: Readonly<Record<string, string>> = {
  operator: "operator/main.ts",
  api: "api/main.ts",
  migrate: "api/store/migrate-main.ts",
  ledger: "api/ledger/verify-main.ts",
  "model-gateway": "api/model-gateway/main.ts",
  "model-simulator": "test/harness/model/main.ts",
};

/** CommonJS packages call `require` at run time, which an ES module lacks. */
const REQUIRE_SHIM = `import { createRequire as createRequireOfBundle } from "node:module"; const require = createRequireOfBundle(import.meta.url);`;

/**
 * Bundles processes into `<outDir>/<name>.mjs`, one file each with the source map of our own lines beside it.
 * @throws Error for a name that is not in ENTRY_FILES, or esbuild's own for code that does not compile.
 */
export async function bundle(names: readonly string[], outDir: string): Promise<string[]> {
  const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
  return Promise.all(
    names.map(async (name) => {
      const entry = ENTRY_FILES[name];
      if (!entry) throw new Error(`no bundle "${name}"; there are ${Object.keys(ENTRY_FILES).join(", ")}`);
      const outfile = join(outDir, `${name}.mjs`);
      await build({
        absWorkingDir: ROOT,
        entryPoints: [entry],
        outfile,
        bundle: true,
        platform: "node",
        target: "node24",
        format: "esm",
        sourcemap: "linked",
        legalComments: "none",
        logLevel: "warning",
        banner: { js: REQUIRE_SHIM },
        define: { HATCHERY_VERSION: JSON.stringify(version) },
      });
      await writeFile(outfile, withoutWideCharacters(await readFile(outfile, "utf8")));
      await writeFile(`${outfile}.map`, thinSourceMap(await readFile(`${outfile}.map`, "utf8")));
      return outfile;
    }),
  );
}

/**
 * esbuild escapes what is not ASCII but for comments, where it says nothing to anyone. One such character, and V8 keeps the
 * whole text in two bytes a character: 3 MB of memory for each process.
 */
function withoutWideCharacters(code: string): string {
  return code.replace(/[\u0080-\uffff]/g, "?");
}

if (import.meta.main) {
  const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(ENTRY_FILES);
  for (const file of await bundle(names, join(ROOT, "dist"))) console.log(file.slice(ROOT.length));
}
