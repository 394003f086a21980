import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { hashBundles, SMOKE_INPUTS } from "./images.ts";
import { ROOT } from "./paths.ts";

/** The files that a file is made of: itself, and what it and those it imports import. */
async function withImports(file: string, seen = new Set<string>()): Promise<Set<string>> {
  if (seen.has(file)) return seen;
  seen.add(file);
  const source = await readFile(join(ROOT, file), "utf8");
  for (const [, path = ""] of source.matchAll(/^(?:import|export|\}) .*from "([.#].*)";$/gm))
    await withImports(path.startsWith("#") ? path.slice(1) : join(file, "..", path), seen);
  return seen;
}

it("has all that the smoke test imports in the build, and repeats the test when it changes", async () => {
  const dockerfile = await readFile(join(ROOT, "runtime-image/Dockerfile"), "utf8");
  const allowed = await readFile(join(ROOT, "runtime-image/Dockerfile.dockerignore"), "utf8");
  const imported = [...(await withImports("runtime-image/smoke.ts"))];
  expect(imported).toContain("operator/build/openclaw-config.ts");
  const others = imported.filter((file) => !file.startsWith("runtime-image/"));
  expect(others.filter((file) => !dockerfile.includes(file))).toEqual([]);
  expect(others.filter((file) => !allowed.includes(`!${file}\n`))).toEqual([]);
  const repeats = (file: string) => SMOKE_INPUTS.some((input) => file === input || file.startsWith(`${input}/`));
  // Of the names it takes a port, and the smoke test has one of its own.
  expect(imported.filter((file) => !repeats(file))).toEqual(["crds/names.ts"]);
});

it("names a server image by its code, not by the comments that source maps repeat", async () => {
  const folder = await mkdtemp(join(tmpdir(), "hatchery-bundles-"));
  try {
    await writeFile(join(folder, "api.mjs"), "serve(8080);\n//# sourceMappingURL=api.mjs.map\n");
    const hashWith = async (map: object) => {
      await writeFile(join(folder, "api.mjs.map"), JSON.stringify(map));
      return hashBundles(folder, ["api"], ["base"]);
    };
    const hash = await hashWith({ sourcesContent: ["serve(8080);"] });
    expect(await hashWith({ sourcesContent: ["// says why\nserve(8080);"] })).toBe(hash);
    await writeFile(join(folder, "api.mjs"), "serve(8081);\n//# sourceMappingURL=api.mjs.map\n");
    expect(await hashBundles(folder, ["api"], ["base"])).not.toBe(hash);
  } finally {
    await rm(folder, { recursive: true });
  }
});
