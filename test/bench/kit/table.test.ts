import { describe, expect, it } from "vitest";
import { figure, renderTable } from "./table.ts";

describe("a table", () => {
  it("is aligned Markdown without empty rows", () => {
    const rows = [
      ["time", "5 s", "48.1 s"],
      ["not measured", "", ""],
      ["half", "", "1"],
    ] as const;
    expect(renderTable(["what", "ours", "theirs"], rows)).toBe(
      [
        "| what | ours | theirs |",
        "|------|-----:|-------:|",
        "| time |  5 s | 48.1 s |",
        "| half |      |      1 |",
      ].join("\n"),
    );
  });

  it.each([
    [1234.56, "1235 MB"],
    [48.06, "48.1 MB"],
    [0.123, "0.12 MB"],
    [7, "7 MB"],
    [Number.NaN, ""],
    [undefined, ""],
  ])("writes %d as %s", (value, text) => {
    expect(figure(value, "MB")).toBe(text);
  });
});
