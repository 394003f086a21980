import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { COMMAND, generatedFiles } from "./outputs.ts";

it.each([...generatedFiles()])("%s is what the routes say", async (path, text) => {
  expect(await readFile(new URL(`../../${path}`, import.meta.url), "utf8"), `run: ${COMMAND}`).toBe(text);
});
