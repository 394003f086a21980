import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { hashBundles } from "./images.ts";

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
