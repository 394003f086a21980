import { SourceMap } from "node:module";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { thinSourceMap } from "./bundle-map.ts";

/** A bundle of our own code around a package's, with its map and the thin one. */
async function bundleOf(ours: string, theirs: string) {
  const { outputFiles } = await build({
    stdin: { contents: ours, sourcefile: "operator/main.ts", resolveDir: "/", loader: "ts" },
    bundle: true,
    format: "esm",
    sourcemap: "external",
    outfile: "out.mjs",
    write: false,
    plugins: [
      {
        name: "package",
        setup(b) {
          b.onResolve({ filter: /^theirs$/ }, () => ({ path: "/node_modules/theirs/index.js" }));
          b.onLoad({ filter: /theirs/ }, () => ({ contents: theirs, loader: "js" }));
        },
      },
    ],
  });
  const text = (end: string) => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? "";
  const full = text(".map");
  return { code: text(".mjs").split("\n"), full, thin: new SourceMap(JSON.parse(thinSourceMap(full))) };
}

const OURS = `import { theirs } from "theirs";

export function first(): number {
  const local = theirs() + 1;

  return local;
}
export const last = (): string => "last" + first();
`;
const THEIRS = "export function theirs() {\n  return 41;\n}\n";

describe("a thin source map", () => {
  it("names file and line of our own code", async () => {
    const { code, thin } = await bundleOf(OURS, THEIRS);
    for (const [generated, original] of [
      ["const local", 4],
      ["return local", 6],
      ['"last"', 8],
    ] as const) {
      const line = code.findIndex((text) => text.includes(generated));
      const column = code[line]?.length ?? 0;
      expect(thin.findEntry(line, column)).toMatchObject({
        originalSource: expect.stringMatching(/\/operator\/main.ts$/),
        originalLine: original - 1,
      });
    }
  });

  it("says nothing of packages, before and after our code", async () => {
    const { code, thin } = await bundleOf(`${OURS}export * from "theirs";`, THEIRS);
    const line = code.findIndex((text) => text.includes("return 41"));
    expect(thin.findEntry(line, 3)).not.toHaveProperty("originalSource");
    const { thin: between } = await bundleOf(OURS, THEIRS);
    expect(between.payload.mappings.startsWith(";")).toBe(true);
  });

  it("keeps neither names nor contents", async () => {
    const { full, thin } = await bundleOf(OURS, THEIRS);
    expect(full).toContain("return 41");
    expect(JSON.stringify(thin.payload)).not.toContain("return 41");
    expect(thin.payload.names).toEqual([]);
  });
});
