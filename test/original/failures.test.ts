import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { FAILURES, failuresPage } from "./failures.ts";
import { titlesIn } from "./titles.ts";

const COUNT = 38;
const fileAt = (path: string) => new URL(`../../${path}`, import.meta.url);

describe("the failures of the original system", () => {
  it("are all there, once", () => {
    expect(FAILURES.map(({ number }) => number)).toEqual(Array.from({ length: COUNT }, (_, at) => at + 1));
  });

  it("are told of on a page", async () => {
    await expect(failuresPage()).toMatchFileSnapshot("../../docs/original-failures.md");
  });
});

describe("the tests that show that it cannot happen", () => {
  it.each(FAILURES.map((failure) => [failure.number, failure] as const))(
    "of failure %i are there",
    (_, { shownBy }) => {
      const files = Object.entries(shownBy);
      expect(files.length).toBeGreaterThan(0);
      for (const [path, titles] of files) {
        expect(existsSync(fileAt(path)), path).toBe(true);
        expect(titles.length, path).toBeGreaterThan(0);
        expect(new Set(titles).size, path).toBe(titles.length);
        expect(titlesIn(readFileSync(fileAt(path), "utf8")), path).toEqual(expect.arrayContaining([...titles]));
      }
    },
  );
});
