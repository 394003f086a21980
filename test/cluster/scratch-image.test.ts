import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { writeScratchImage } from "./scratch-image.ts";
import { run } from "./shell.ts";

it("writes the same archive for the same files, with a layer whose digest is true", async () => {
  const dir = await mkdtemp(join(tmpdir(), "image-test-"));
  try {
    await writeFile(join(dir, "program"), "#!/bin/true", { mode: 0o755 });
    const image = {
      ref: "localhost/x:1",
      files: { "bin/program": join(dir, "program") },
      entrypoint: ["/bin/program"],
    };
    await writeScratchImage(image, join(dir, "a.tar"));
    await writeScratchImage(image, join(dir, "b.tar"));
    expect(await readFile(join(dir, "a.tar"))).toEqual(await readFile(join(dir, "b.tar")));
    await run(["tar", "-C", dir, "-xf", join(dir, "a.tar")]);
    const [manifest] = JSON.parse(await readFile(join(dir, "manifest.json"), "utf8")) as { Config: string }[];
    const config = JSON.parse(await readFile(join(dir, manifest?.Config ?? ""), "utf8")) as {
      rootfs: { diff_ids: string[] };
    };
    const layer = createHash("sha256")
      .update(await readFile(join(dir, "layer.tar")))
      .digest("hex");
    expect(config.rootfs.diff_ids).toEqual([`sha256:${layer}`]);
  } finally {
    await rm(dir, { recursive: true });
  }
});
