import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { titlesIn } from "./titles.ts";

const SOURCE = `
import { describe, it } from "vitest";

it("stands alone", async () => {
  expect(say("it is no title")).toBe(1);
});

describe("a part", { timeout: 1 }, () => {
  it("says 'one'", () => {});

  it.each<[string, () => void]>([
    ["a", () => call("b")],
  ])("has %s of many", async (_, x) => {});

  it.each([1, 2])(
    "has %i on a line of its own",
    () => {},
  );

  it.skip("is left out", () => {});

  describe("a part of it", () => {
    it("is deep", () => {});
  });

  it(\`is no \${1} text\`, () => {});
});

describe.each(["x"])("each %s", (x) => {
  it('says "two"', () => {});
  it("says \\"three\\"", () => {});
});

describe.skip("a part that is off", () => {
  it("does not run", () => {});
});

it.todo("is to be written");
`;

it("reads titles with what they stand in, and leaves out what does not run", () => {
  expect(titlesIn(SOURCE)).toEqual([
    "stands alone",
    "a part > says 'one'",
    "a part > has %s of many",
    "a part > has %i on a line of its own",
    "a part > a part of it > is deep",
    // As it is written.
    `a part > is no \${1} text`,
    'each %s > says "two"',
    'each %s > says "three"',
  ]);
});

it("reads this file", () => {
  const titles = titlesIn(readFileSync(new URL(import.meta.url), "utf8"));
  expect(titles).toContain("reads this file");
});
