import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { generatedFiles } from "./outputs.ts";

const root = new URL("../../", import.meta.url);

describe("generated files", () => {
  it.each([...generatedFiles()])("%s is what the schemas say", async (path, text) => {
    expect(await readFile(new URL(path, root), "utf8"), "run: node crds/generate/main.ts").toBe(text);
  });

  it.each(["crds/generated/", "charts/hatchery/templates/crds/"])("%s holds nothing else", async (folder) => {
    const present = (await readdir(new URL(folder, root))).map((name) => folder + name);
    expect(present.sort()).toEqual([...generatedFiles().keys()].filter((path) => path.startsWith(folder)).sort());
  });

  it("--check agrees and writes nothing", async () => {
    const main = new URL("main.ts", import.meta.url).pathname;
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [main, "--check"]);
    expect(stdout + stderr).toBe("");
  });
});

describe("schema sources", () => {
  /** zod drops these from JSON schema without a word, so the apiserver would not know of them. */
  const VANISHING =
    /\.(refine|superRefine|check|transform|preprocess|pipe|overwrite|trim|toLowerCase|catch)\(|z\.(coerce|preprocess|lazy)/;
  /** They pair each refinement with a keyword or a CEL rule. */
  const PAIRING = ["rule.ts", "collections.ts", "scalars.ts"];

  it("say nothing that zod would not pass on", async () => {
    const folder = new URL("../schema/", import.meta.url);
    const names = (await readdir(folder)).filter((name) => !name.endsWith(".test.ts") && !PAIRING.includes(name));
    for (const name of names) expect(await readFile(new URL(name, folder), "utf8"), name).not.toMatch(VANISHING);
  });
});
