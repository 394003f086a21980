import { chmod, cp, mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hashInputs } from "./input-hash.ts";

describe("the hash of a build's inputs", () => {
  let root: string;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "hatchery-hash-"));
    await mkdir(join(root, "plugin/deep"), { recursive: true });
    await writeFile(join(root, "Dockerfile"), "FROM scratch\n");
    await writeFile(join(root, "plugin/deep/index.js"), "export {};\n");
  });

  afterEach(() => rm(root, { recursive: true }));

  const hash = (words: string[] = []) => hashInputs(root, ["Dockerfile", "plugin"], words);

  it("does not depend on place or time", async () => {
    const before = await hash();
    expect(before).toMatch(/^[0-9a-f]{12}$/);
    await utimes(join(root, "Dockerfile"), 1, 1);
    expect(await hash()).toBe(before);
    const copy = await mkdtemp(join(tmpdir(), "hatchery-hash-"));
    await cp(root, copy, { recursive: true });
    expect(await hashInputs(copy, ["plugin", "Dockerfile", "plugin/deep"])).toBe(before);
    await rm(copy, { recursive: true });
  });

  it.each<[string, () => Promise<unknown>]>([
    ["a file's content", () => writeFile(join(root, "plugin/deep/index.js"), "export {}\n")],
    ["an executable bit", () => chmod(join(root, "Dockerfile"), 0o755)],
    ["a new file", () => writeFile(join(root, "plugin/new.js"), "")],
    ["a file's name", () => cp(join(root, "Dockerfile"), join(root, "plugin/Dockerfile"))],
  ])("changes with %s", async (_, change) => {
    const before = await hash();
    await change();
    expect(await hash()).not.toBe(before);
  });

  it("changes with the words, and where one ends and the next begins", async () => {
    expect(new Set([await hash(), await hash(["ab"]), await hash(["a", "b"]), await hash(["b", "a"])]).size).toBe(4);
  });

  it("leaves out tests and declarations", async () => {
    const before = await hash();
    await writeFile(join(root, "plugin/index.test.ts"), "x");
    await writeFile(join(root, "plugin/index.d.ts"), "x");
    await writeFile(join(root, "plugin/main_test.go"), "x");
    expect(await hash()).toBe(before);
  });

  it("fails on an input that is not there", async () => {
    await expect(hashInputs(root, ["missing"])).rejects.toThrow(/ENOENT.*missing/);
  });
});
