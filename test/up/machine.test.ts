import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { findMissing, freeBytes, isNewEnough, neededDisk } from "./machine.ts";

it.each([
  ["go1.26\n", true],
  ["go1.26.2\n", true],
  ["go1.27rc1\n", true],
  ["go2.0\n", true],
  ["go1.25.9\n", false],
  ["go1.9\n", false],
  ["devel go1.27-abc\n", false],
  ["", false],
])("takes Go %j: %s", (version, expected) => {
  expect(isNewEnough(version)).toBe(expected);
});

it("wants less disk the more of it earlier runs have filled", async () => {
  const cache = await mkdtemp(join(tmpdir(), "hatchery-machine-"));
  try {
    const first = await neededDisk(join(cache, "not", "there"));
    expect(await neededDisk(cache)).toBe(first);
    await mkdir(join(cache, "bin", "kube-0123"), { recursive: true });
    const compiled = await neededDisk(cache);
    await mkdir(join(cache, "images"));
    expect(await neededDisk(cache)).toBe(compiled);
    await writeFile(join(cache, "images", "openclaw-0123.tar"), "");
    const built = await neededDisk(cache);
    expect([first, compiled, built]).toEqual([first, compiled, built].sort((a, b) => b - a));
    // What the README promises to be enough must be so for the second run, of the 11 GB that a first one leaves behind.
    expect(built).toBeLessThan(15 - 11e9 / 1024 ** 3);
  } finally {
    await rm(cache, { recursive: true });
  }
});

it("measures the disk of a folder that is yet to be made", async () => {
  expect(await freeBytes(join(tmpdir(), "not", "there"))).toBeGreaterThan(0);
});

it("lists what is missing with how to get it", async () => {
  const requirement = (what: string, ok: boolean) => ({ what, remedy: "get it", holds: async () => ok });
  expect(await findMissing([requirement("a", true), requirement("b", false)])).toEqual(["b: get it"]);
});
