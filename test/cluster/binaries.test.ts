import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { hashInputs } from "./binaries.ts";

it("changes with every input of a build and with nothing else", async () => {
  const dir = await mkdtemp(join(tmpdir(), "hash-test-"));
  try {
    await mkdir(join(dir, "sub"));
    await writeFile(join(dir, "main.go"), "package main");
    await writeFile(join(dir, "sub", "a.go"), "package sub");
    const first = await hashInputs(dir, ["go1.26"]);
    await writeFile(join(dir, "main_test.go"), "package main");
    expect(await hashInputs(dir, ["go1.26"])).toBe(first);
    expect(await hashInputs(dir, ["go1.27"])).not.toBe(first);
    await writeFile(join(dir, "sub", "a.go"), "package sub // changed");
    expect(await hashInputs(dir, ["go1.26"])).not.toBe(first);
  } finally {
    await rm(dir, { recursive: true });
  }
});
